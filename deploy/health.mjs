/** The health check of the image, which has no curl: exit code 0 when the URL answers 2xx within 4 s. */
const [url = 'http://127.0.0.1:8070/healthz'] = process.argv.slice(2)
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) })
  if (!answer.ok) throw new Error(`it answers ${answer.status}`)
} catch (error) {
  console.error(`${url}: ${error.cause?.message ?? error.message}`)
  process.exitCode = 1
}
