#!/usr/bin/env node
/** pacifica-notifications-cmd. Reads the environment and the command line, which nothing else here does. */
import { homedir } from 'node:os'
import { createLog, maskCredentials } from '@pacifica/platform'
import { runCli } from './run-cli.ts'

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  home: homedir(),
  log: createLog({ name: 'notifications-cmd', level: 'warn', destination: process.stderr }),
  output: {
    write: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  },
  complain: (line) => process.stderr.write(`${maskCredentials(line)}\n`),
})
