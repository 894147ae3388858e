/** The demo's way to the public APIs: plain HTTP, answers in JSON, errors that say what was asked and what came. */

export class UnexpectedAnswerError extends Error {
  readonly code = 'DEMO_ANSWER'
}

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
  return JSON.parse(await expectOk(response, `GET ${url}`)) as T
}

/** Answers with the body as text. */
export async function post(url: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(30_000)
  return expectOk(await fetch(url, { method: 'POST', headers, body, signal }), `POST ${url}`)
}

/** Undefined while the service at this address is not ready, or does not answer at all. */
export async function isReady(url: string): Promise<true | undefined> {
  const status = await statusOf('GET', `${url}/readyz`).catch(() => undefined)
  return status === 200 ? true : undefined
}

export async function statusOf(method: string, url: string): Promise<number> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(30_000) })
  await response.arrayBuffer()
  return response.status
}

async function expectOk(response: Response, what: string): Promise<string> {
  const text = await response.text()
  if (response.ok) return text
  throw new UnexpectedAnswerError(`${what} answered ${response.status}: ${text.slice(0, 500)}`)
}

/** Asks until `found` gives a value; a `found` that throws has seen that it will never come. */
export async function eventually<T>(
  what: string,
  found: () => Promise<T | undefined>,
  options: { withinMs: number },
): Promise<T> {
  const end = performance.now() + options.withinMs
  while (performance.now() < end) {
    const value = await found()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new UnexpectedAnswerError(`${what} did not happen within ${options.withinMs / 1000} s`)
}
