/** What tasks' runs wrote, piece by piece; bounded by task-log.ts. */
import type { Sql } from '@pacifica/platform'
import type { Held } from './store.ts'

/** `log`: lines of the handler's log, and the service's own notes. */
export type LogStream = 'out' | 'err' | 'log'

export interface LogPiece {
  readonly stream: LogStream
  readonly text: string
}

const APPEND = `
INSERT INTO task_log (task, claim, stream, text)
SELECT $1, $2, piece.stream, piece.text
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS piece(stream, text, place)
WHERE EXISTS (SELECT FROM task WHERE id = $1)
ORDER BY piece.place`

export async function appendLog(sql: Sql, held: Held, pieces: readonly LogPiece[]): Promise<void> {
  const streams = pieces.map(({ stream }) => stream)
  const texts = pieces.map(({ text }) => text)
  await sql.query(APPEND, [held.id, held.claim, streams, texts])
}

export interface StoredPiece extends LogPiece {
  readonly claim: number
  readonly created: Date
}

/** All of it, the oldest first. */
export function readLog(sql: Sql, taskId: string): Promise<StoredPiece[]> {
  return sql.query<StoredPiece>(
    'SELECT claim, stream, text, created FROM task_log WHERE task = $1 ORDER BY id',
    [taskId],
  )
}
