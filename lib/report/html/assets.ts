import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CANVAS_LICENCE, CHARTS_NOTICE } from './licences.ts'
import { linkModules } from './link-modules.ts'

/** Everything in the page that is not data. */
export type Assets = { style: string; charts: string; client: string; licences: { title: string; text: string }[] }

const read = (...parts: string[]): string => readFileSync(path.join(...parts), 'utf8')

/** Reads style, chart library and client from where they are installed. Throws where a file is missing. */
export function readAssets(): Assets {
  const client = fileURLToPath(new URL('client/', import.meta.url))
  const library = path.dirname(createRequire(import.meta.url).resolve('lightweight-charts/package.json'))
  return {
    style: read(client, 'style.css'),
    charts: read(library, 'dist/lightweight-charts.standalone.production.js').trimEnd(),
    client: linkModules('main.js', (file) => read(client, file)),
    licences: [
      {
        title: 'Lightweight Charts, Apache License 2.0',
        text: `${CHARTS_NOTICE}\n\n${read(library, 'LICENSE').trim()}`,
      },
      { title: 'fancy-canvas, MIT License', text: CANVAS_LICENCE },
    ],
  }
}
