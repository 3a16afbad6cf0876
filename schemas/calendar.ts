import { z } from 'zod'

/**
 * Which hours and days a market trades. `always-open` trades around the clock, its day is the UTC day; the others are
 * the product groups of CME Group, whose trading day begins at 17:00 in Chicago.
 */
export const CalendarId = z.enum(['always-open', 'cme-equity', 'cme-energy', 'cme-metals', 'cme-fx'])
export type CalendarId = z.infer<typeof CalendarId>
