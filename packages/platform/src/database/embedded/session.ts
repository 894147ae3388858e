/**
 * The engine's only session: PGlite's own bridge to `pg`, made safe in three ways.
 *
 * PGlite answers without ever leaving the event loop's current turn, so a chain of statements would keep timers,
 * sockets and signals waiting until it ends: here each statement begins a new turn. After a PANIC (the disk refused
 * the write-ahead log) its next statement never returns: here it is refused. And see `withoutResultTypes`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messages, type PGlite } from '@electric-sql/pglite'
import { createPgConfig, type PGlitePgConfig } from '@electric-sql/pglite/node-postgres'

/** First bytes of messages: a statement in one, the begin of one in parts, and its end. */
const QUERY = 0x51
const PARSE = 0x50
const SYNC = 0x53

type Answers = Awaited<ReturnType<PGlite['execProtocolStream']>>

export interface Session {
  /** For the one client of a pool. */
  readonly config: PGlitePgConfig
  /** Why the engine is of no use any more. */
  failure(): Error | undefined
}

export function openSession(engine: PGlite, onFailure: (failure: Error) => void): Session {
  let failure: messages.DatabaseError | undefined

  function fail(reason: string) {
    failure = engineFailed(reason)
    onFailure(failure)
  }

  /** `pg` waits for the end of a statement also when it failed. Nothing may reject: the bridge would break. */
  async function execute(message: Uint8Array, options?: ExecOptions): Promise<Answers> {
    const answers = await engine.execProtocolStream(message, options).catch((error: Error) => {
      fail(error.message) // WebAssembly broke down
      return failure ? [failure] : []
    })
    const fatal = answers.map(fatalReason).find((reason) => reason !== undefined)
    if (fatal !== undefined && !failure) fail(fatal)
    const ended = answers.some(({ name }) => name === 'readyForQuery')
    return failure && !ended && endsStatement(message) ? [...answers, ready()] : answers
  }

  /** All that the bridge uses. */
  const guarded: Pick<PGlite, 'waitReady' | 'execProtocolStream'> = {
    waitReady: engine.waitReady,
    async execProtocolStream(message, options) {
      if (endsStatement(message)) await nextTurn()
      return failure ? refuse(message, failure) : execute(message, options)
    },
  }
  const config = withoutResultTypes(createPgConfig(guarded as PGlite))
  return { config, failure: () => failure }
}

type ExecOptions = Parameters<PGlite['execProtocolStream']>[1]

function endsStatement([type]: Uint8Array): boolean {
  return type === QUERY || type === SYNC
}

/** What a server would answer that can do no more than refuse. */
function refuse(message: Uint8Array, failure: messages.DatabaseError): Answers {
  const begins = message[0] === QUERY || message[0] === PARSE
  return [...(begins ? [failure] : []), ...(endsStatement(message) ? [ready()] : [])]
}

function ready() {
  return new messages.ReadyForQueryMessage(5, 'I')
}

/** 58030 is PostgreSQL's "I/O error". */
function engineFailed(reason: string): messages.DatabaseError {
  const text = `The embedded database stopped (${reason}): mend the cause, then restart the service`
  return Object.assign(new messages.DatabaseError(text, 0, 'error'), {
    severity: 'FATAL',
    code: '58030',
  })
}

function fatalReason(answer: object): string | undefined {
  const fatal =
    answer instanceof messages.DatabaseError && /^(FATAL|PANIC)$/.test(answer.severity ?? '')
  return fatal ? answer.message : undefined
}

/**
 * `pg` passes a query's own result parsers (Prisma's) on as `types`, where PGlite expects a list of parameter types:
 * it would throw in the middle of a message and spoil the next one too.
 */
function withoutResultTypes(config: PGlitePgConfig): PGlitePgConfig {
  const { connection } = config
  const parse = connection.parse.bind(connection)
  connection.parse = ({ text, name }) => parse({ text, name })
  return config
}
