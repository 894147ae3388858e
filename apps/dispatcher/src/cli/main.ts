#!/usr/bin/env node
/** pacifica-dispatcher-cmd. Reads the environment and the command line, which nothing else here does. */
import { maskCredentials } from '@pacifica/platform'
import { runCli } from './run-cli.ts'

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  print: (text) => process.stdout.write(text),
  complain: (line) => process.stderr.write(`${maskCredentials(line)}\n`),
})
