/**
 * Prepared statements. PostgreSQL reads and plans a statement under a name once for each connection, where planning it
 * may cost more than running it. A name comes of the text, so that processes behind one proxy mean the same by it. A plan
 * is kept until its tables have grown: plan-renewal.ts.
 */
import { createHash } from 'node:crypto'
import { sqlState } from './unavailable.ts'

/** Each costs every session memory; more texts than these are not prepared. */
const MOST = 200

/** A statement prepared before no longer gives the same columns: somebody has changed its tables. */
const CHANGED = '0A000'
/** Another session than the one it was prepared in: a proxy hands out sessions for each transaction. */
const ELSEWHERE = new Set(['26000', '42P05'])

export interface PreparedStatements {
  /** Under which name; undefined: it is planned each time. */
  nameOf(text: string): string | undefined
  /** After an error: true when the same statement, under what `nameOf` says now, may succeed. */
  recover(text: string, error: unknown): boolean
}

export function preparedStatements(
  prepare: boolean,
  onElsewhere: (reason: string) => void = () => {},
): PreparedStatements {
  const names = new Map<string, string>()
  let off = !prepare
  let changes = 0

  function add(text: string): string {
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 24)
    const name = `pacifica_${digest}_${changes}`
    names.set(text, name)
    return name
  }

  return {
    nameOf(text) {
      if (off) return undefined
      return names.get(text) ?? (names.size < MOST ? add(text) : undefined)
    },
    recover(text, error) {
      if (!names.has(text)) return false
      const state = sqlState(error) ?? ''
      if (ELSEWHERE.has(state)) {
        if (!off) onElsewhere((error as Error).message)
        off = true
        return true
      }
      if (off || state !== CHANGED || !/cached plan/.test((error as Error).message)) return false
      changes += 1
      add(text)
      return true
    },
  }
}
