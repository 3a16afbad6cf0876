import { writeFileSync } from 'node:fs'
import { PAGE, renderConfigurationPage } from './configuration-page.ts'

writeFileSync(PAGE, renderConfigurationPage())
