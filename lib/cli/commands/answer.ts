/** What a command says: one document for machines, one text for people, and how it ended. */
export type Answer = { document: unknown; text: string; exitCode: 0 | 1 }
