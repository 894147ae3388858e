/** Readiness: what must work before this process is worth sending requests to. */

/** Undefined when all is well, else what is wrong, in words. */
export type Check = () => string | undefined | Promise<string | undefined>

export interface HealthReport {
  readonly ready: boolean
  readonly checks: Record<string, 'ok' | (string & {})>
}

export interface Health {
  add(name: string, check: Check): void
  /** Asks every check at once. A check that throws or takes too long is not ok. Never rejects. */
  report(): Promise<HealthReport>
}

export function createHealth(options: { checkMs?: number } = {}): Health {
  const checkMs = options.checkMs ?? 5_000
  const checks = new Map<string, Check>()
  return {
    add(name, check) {
      if (checks.has(name)) throw new Error(`there is a health check '${name}' already`)
      checks.set(name, check)
    },
    async report() {
      const results = await Promise.all(
        [...checks].map(async ([name, check]) => [name, (await ask(check, checkMs)) ?? 'ok']),
      )
      const report: Record<string, string> = Object.fromEntries(results)
      return { ready: Object.values(report).every((result) => result === 'ok'), checks: report }
    },
  }
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
