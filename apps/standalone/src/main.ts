/** `npm start`: both services on embedded engines, until stopped. */

import { homedir } from 'node:os'
import { findSources, VERSION } from '@pacifica/notifications'
import { createLog, logLevelOf, runProcess } from '@pacifica/platform'
import { readStandaloneConfig } from './config.ts'
import { type Standalone, startStandalone } from './start.ts'
import { whereToLook } from './where-to-look.ts'

if (process.argv.includes('--version')) {
  console.log(VERSION)
} else {
  const log = createLog({ name: 'pacifica', level: logLevelOf(process.env['LOG_LEVEL']) })
  await runProcess({ log }, async (life) => {
    const { sources, notes } = findSources(process.env, { home: homedir() })
    for (const note of notes) log.info({ note }, 'config.note')
    const config = readStandaloneConfig(process.env, sources.ini)
    const running: Standalone = await startStandalone(life, { log, env: process.env }, config)
    console.log(whereToLook(running, config))
  })
}
