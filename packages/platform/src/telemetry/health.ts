/** Readiness: what must work before this process is worth sending requests to. */

/** Undefined when all is well, else what is wrong, in words. */
export type Check = () => string | undefined | Promise<string | undefined>

/**
 * `degraded`: ready, although a service that this one asks is away. To take the process out would mend nothing, and
 * cost what it can still do.
 */
export interface HealthReport {
  readonly ready: boolean
  readonly status: 'ready' | 'degraded' | 'not ready'
  readonly checks: Record<string, 'ok' | (string & {})>
}

export interface Health {
  /** What must work before this process is ready. */
  add(name: string, check: Check): void
  /** What is shown, and is no reason to take this process out: trouble of a service that it asks. */
  addOutside(name: string, check: Check): void
  /** Asks every check at once. A check that throws or takes too long is not ok. Never rejects. */
  report(): Promise<HealthReport>
}

interface Entry {
  readonly check: Check
  readonly outside: boolean
}

export function createHealth(options: { checkMs?: number } = {}): Health {
  const checkMs = options.checkMs ?? 5_000
  const entries = new Map<string, Entry>()
  const add = (name: string, entry: Entry) => {
    if (entries.has(name)) throw new Error(`there is a health check '${name}' already`)
    entries.set(name, entry)
  }
  return {
    add: (name, check) => add(name, { check, outside: false }),
    addOutside: (name, check) => add(name, { check, outside: true }),
    async report() {
      const results = await Promise.all(
        [...entries].map(async ([name, { check, outside }]) => {
          return { name, outside, result: (await ask(check, checkMs)) ?? 'ok' }
        }),
      )
      const wrong = results.filter(({ result }) => result !== 'ok')
      const ready = wrong.every(({ outside }) => outside)
      return {
        ready,
        status: statusOf(ready, wrong.length),
        checks: Object.fromEntries(results.map(({ name, result }) => [name, result])),
      }
    },
  }
}

function statusOf(ready: boolean, wrong: number): HealthReport['status'] {
  if (!ready) return 'not ready'
  return wrong === 0 ? 'ready' : 'degraded'
}

async function ask(check: Check, ms: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${ms} ms`), ms)
  })
  try {
    return await Promise.race([check(), late])
  } catch (error) {
    return error instanceof Error ? error.message : 'the check failed'
  } finally {
    clearTimeout(timer)
  }
}
