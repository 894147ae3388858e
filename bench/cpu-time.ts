/** What work costs: others on the machine change the time that it takes far more than the processor time. */
import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of a process and of the database's sessions, so far (Linux; elsewhere 0). */
export function cpuOf(pid: number, database: string): { service: number; database: number } {
  try {
    const sessions = readdirSync('/proc').filter(
      (entry) => /^\d+$/.test(entry) && commandOf(entry).includes(` ${database} `),
    )
    const sum = sessions.reduce((ms, session) => ms + cpuMs(session), 0)
    return { service: cpuMs(String(pid)), database: sum }
  } catch {
    return { service: 0, database: 0 }
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
