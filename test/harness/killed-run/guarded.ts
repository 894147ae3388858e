import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { guardFolder } from '../guard.ts'

const folder = mkdtempSync(join(tmpdir(), 'pacifica-guarded-'))
guardFolder(folder)
const program = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 200_000)'], {
  detached: true,
  stdio: 'ignore',
})
writeFileSync(join(folder, 'program.pid'), `${program.pid}\n`)
writeSync(1, `${JSON.stringify({ folder, pid: program.pid })}\n`)
await sleep(200_000)
