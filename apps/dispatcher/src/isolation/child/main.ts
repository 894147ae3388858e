/** What a task's child process runs for the dispatcher that DISPATCHER_MODULE names. */
import { MODE_VARIABLE } from '../child-environment.ts'
import { MARK_VARIABLE } from '../process-tree.ts'
import { runAsChild } from './run-child.ts'

delete process.env[MODE_VARIABLE]
await runAsChild({ mark: process.env[MARK_VARIABLE] ?? '' })
