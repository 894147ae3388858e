/** How much of a processor a process and a database's sessions have used: what others do on the machine matters less to it. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessorTime {
  readonly serviceMs: number
  readonly databaseMs: number
}

/** So far (Linux; elsewhere 0). Sessions of the database `name`. */
export function processorTime(pid: number, name: string): ProcessorTime {
  try {
    const sessions = readdirSync('/proc').filter(
      (entry) => /^\d+$/.test(entry) && commandOf(entry).includes(` ${name} `),
    )
    const databaseMs = sessions.reduce((ms, session) => ms + cpuMs(session), 0)
    return { serviceMs: cpuMs(String(pid)), databaseMs }
  } catch {
    return { serviceMs: 0, databaseMs: 0 }
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // it has ended meanwhile
  }
}

const TICK_MS = 10

function cpuMs(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
