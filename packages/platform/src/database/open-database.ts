import type { Log } from '../telemetry/log.ts'
import type { Database } from './database.ts'
import { openEmbedded } from './embedded/open-embedded.ts'
import { openServer } from './postgresql/open-server.ts'

export interface OpenDatabaseOptions {
  /** Of a PostgreSQL server; without it the database is embedded, in `folder`. */
  readonly url?: string | undefined
  /** Of the embedded database, which has it for itself. Made when it is missing. */
  readonly folder: string
  /** Connections to the server. Default 10. The embedded engine has one session. */
  readonly poolSize?: number | undefined
  /** How often and at what distance to try while the server is away. Default 10, and 20 s. */
  readonly connectAttempts?: number | undefined
  readonly connectWaitMs?: number | undefined
  /**
   * When the attempts are used up and the server is still away: give up (the default), or open all the same, so that
   * each statement fails until the server is there.
   */
  readonly whenAway?: 'give up' | 'open' | undefined
  /** No statement takes longer. Default two minutes; 0 for none. */
  readonly statementMs?: number | undefined
  /** No: a proxy hands out the server's sessions for each transaction, so that nothing can be prepared. Default yes. */
  readonly prepare?: boolean | undefined
  /** Ends the attempts to connect. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens the database of a service.
 * @throws DatabaseUrlError, DatabaseConnectError, FolderInUseError, FolderUnusableError: each says what to do.
 */
export function openDatabase(needs: { log: Log }, options: OpenDatabaseOptions): Promise<Database> {
  const { url, ...others } = options
  return url === undefined
    ? openEmbedded(needs, { folder: options.folder })
    : openServer(needs, { ...others, url })
}
