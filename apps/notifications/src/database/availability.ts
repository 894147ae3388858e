/**
 * Whether the database answers, as this process knows. While it is away nobody else asks it: events go to the spool,
 * other requests are refused at once, loops wait. One loop looks whether it is back.
 */
import { backoff, createBell, isUnavailable, type Log, sleep, workLoop } from '@pacifica/platform'

export interface Availability {
  readonly away: boolean
  /** A statement failed because the database is away. */
  lost(error: unknown): void
  /** Something failed that may have been the database's fault: it is asked. */
  suspect(): void
  /** Statements succeed. */
  working(): void
  /** Called each time the database is back. */
  onBack(then: () => void): void
}

/** What a client is told; the log has the cause. */
export class DatabaseUnavailableError extends Error {
  readonly code = 'DATABASE_UNAVAILABLE'
  readonly retryAfterS = 5
  constructor(cause?: unknown) {
    super('the database is away: try again in a few seconds', { cause })
  }
}

/** Routes that can only be answered from the database. */
const NEEDS_DATABASE = /^\/(eventmatch|events|dead)(\/|$)/

/** While it is known to be away a request is refused at once, and waits for no connection. */
export function refuseWhileAway(availability: Pick<Availability, 'away'>) {
  return (
    request: { readonly routeOptions: { url?: string | undefined } },
    _reply: unknown,
    done: () => void,
  ) => {
    if (availability.away && NEEDS_DATABASE.test(request.routeOptions.url ?? ''))
      throw new DatabaseUnavailableError()
    done()
  }
}

/** An unavailable database shows in errors of many kinds and codes; a client is told of one. */
export function tellUnavailable(availability: Pick<Availability, 'suspect'>) {
  return (error: unknown): unknown => {
    if (error instanceof DatabaseUnavailableError || isOfRequest(error)) return error
    if (!isUnavailable(error)) return error
    availability.suspect()
    return new DatabaseUnavailableError(error)
  }
}

/** A client that goes away in the middle of its request is also an ECONNRESET; our own errors say what they are. */
function isOfRequest(error: unknown): boolean {
  return error instanceof Error && typeof Reflect.get(error, 'statusCode') === 'number'
}

const AGAIN = { firstMs: 200, maxMs: 2_000 }
const IDLE_MS = 60_000

/** The wait before it is asked again grows also when it comes and goes, as a full or read-only database does. */
export class DatabaseWatch implements Availability {
  readonly #check: () => Promise<void>
  readonly #log: Pick<Log, 'warn' | 'info' | 'error'>
  readonly #bell = createBell()
  readonly #whenBack: (() => void)[] = []
  #awaySince: number | undefined
  #suspected = false
  #failures = 0

  constructor(needs: {
    /** Resolves when the database answers and its tables are there. */
    check: () => Promise<void>
    log: Pick<Log, 'warn' | 'info' | 'error'>
  }) {
    this.#check = needs.check
    this.#log = needs.log
  }

  get away(): boolean {
    return this.#awaySince !== undefined
  }

  lost(error: unknown): void {
    if (this.away) return
    this.#awaySince = performance.now()
    this.#failures += 1
    const reason = error instanceof Error ? error.message : String(error)
    this.#log.warn({ reason }, 'database.away')
    this.#bell.ring()
  }

  suspect(): void {
    if (this.away || this.#suspected) return
    this.#suspected = true
    this.#bell.ring()
  }

  working(): void {
    this.#failures = 0
  }

  onBack(then: () => void): void {
    this.#whenBack.push(then)
  }

  /** Asks while the database is away or suspected to be; until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return workLoop(() => this.#step(signal), {
      name: 'database',
      signal,
      bell: this.#bell,
      idleMs: IDLE_MS,
      log: this.#log,
    })
  }

  async #step(signal: AbortSignal): Promise<boolean> {
    if (!this.away && !this.#suspected) return false
    if (this.away) await sleep(backoff(this.#failures, AGAIN, Math.random), signal)
    this.#suspected = false
    try {
      await this.#check()
    } catch (error) {
      if (this.away) this.#failures += 1
      else this.lost(error)
      return true
    }
    this.#back()
    return false
  }

  #back(): void {
    if (this.#awaySince === undefined) return
    const ms = Math.round(performance.now() - this.#awaySince)
    this.#awaySince = undefined
    this.#log.info({ ms }, 'database.back')
    for (const then of this.#whenBack) then()
  }
}
