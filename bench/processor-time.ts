/** How much of a processor a process and a database's sessions have used: what others do on the machine matters less to it. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessorTime {
  readonly serviceMs: number
  readonly databaseMs: number
}

/**
 * So far (Linux; elsewhere 0). Sessions of the database `name`, and all that have ended on its server: a pool closes those
 * that it does not need.
 */
export function processorTime(pid: number, name: string): ProcessorTime {
  try {
    const sessions = readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && commandOf(entry).includes(` ${name} `))
      .map(usedBy)
    const [session] = sessions
    const ended = session === undefined ? 0 : usedBy(session.parent).endedChildrenMs
    const databaseMs = sessions.reduce((ms, { ownMs }) => ms + ownMs, ended)
    return { serviceMs: usedBy(String(pid)).ownMs, databaseMs }
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

/** proc_pid_stat(5), from the third field on. */
function usedBy(pid: string): { parent: string; ownMs: number; endedChildrenMs: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ms = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) * TICK_MS
  return { parent: fields[1] ?? '', ownMs: ms(11), endedChildrenMs: ms(13) }
}
