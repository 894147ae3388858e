/** Logs a line and ends in the same turn: `turn-writer.test.ts` looks whether the line is there. */
import { createLog } from '@pacifica/platform'

createLog({ name: 'test', level: 'info' }).info('last')
process.exit()
