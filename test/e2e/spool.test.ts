/** Metadata posts once: while PostgreSQL is away every event gets its 200, and afterwards it is stored exactly once. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  anEventText,
  keepPosting,
  openSite,
  PATIENCE,
  pause,
  post,
  postOne,
  type Site,
} from './spool-site.ts'

const ALL_STORED = { missing: [], changed: [], twice: [] }

let site: Site

beforeEach(async () => {
  site = await openSite()
}, PATIENCE)
afterEach(() => site?.close())

test(
  'PostgreSQL is stopped, softly and hard, while events are posted: each gets a 200 and is stored once',
  async () => {
    const service = await site.start()
    await service.until('/readyz', 200)
    const posting = post(() => service.url, 4_000)
    for (const how of ['soft', 'hard'] as const) {
      await pause(150)
      await site.postgres.halt(how)
      await pause(500)
      await site.postgres.resume()
    }
    const { answered, refused } = await posting
    expect(refused).toEqual([])
    expect(answered.size).toBe(4_000)
    expect(await site.storedOnce(answered)).toEqual(ALL_STORED)
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    const spooled = Number(/^pacifica_events_spooled_total (\d+)$/m.exec(metrics)?.[1])
    expect(spooled).toBeGreaterThan(0)
    expect(metrics).toContain('pacifica_spool_files 0')
    console.log(`spool: 4000 posted, ${spooled} of them spooled`)
  },
  PATIENCE,
)

test(
  'while PostgreSQL is away other requests are refused at once with what to do, and are served afterwards',
  async () => {
    const service = await site.start()
    await service.until('/readyz', 200)
    await site.postgres.halt('hard')
    const { status, text: spooledAs } = await postOne(service.url, anEventText())
    expect(status).toBe(200)
    for (const path of ['/eventmatch', `/events/${spooledAs}`]) {
      const began = performance.now()
      const answer = await fetch(`${service.url}${path}`)
      expect(performance.now() - began).toBeLessThan(1_000)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
      expect(await answer.json()).toMatchObject({
        status: '503 Service Unavailable',
        code: 'DATABASE_UNAVAILABLE',
        message: expect.stringContaining('the database is away'),
      })
    }
    await service.until('/readyz', 503)
    await site.postgres.resume()
    await service.until(`/events/${spooledAs}`, 200)
    await service.until('/readyz', 200)
  },
  PATIENCE,
)

test(
  'the service is killed again and again while the spool fills: whatever got a 200 is taken in',
  async () => {
    const first = await site.start()
    await first.until('/readyz', 200)
    await site.postgres.halt('hard')
    let service = first
    const posting = keepPosting(() => service.url)
    const { answered, refused } = posting
    try {
      for (const count of [100, 200, 300]) {
        await posting.until(count)
        await service.process.kill('SIGKILL')
        service = await site.start()
      }
    } finally {
      await posting.stop()
    }
    expect(refused.filter((status) => status !== 0)).toEqual([])
    await service.process.kill('SIGKILL')
    await site.postgres.resume()
    await (await site.start()).until('/readyz', 200)
    expect(await site.storedOnce(answered)).toEqual(ALL_STORED)
    console.log(`spool: ${answered.size} answered, ${refused.length} met a dead service`)
  },
  PATIENCE,
)

test(
  'started while PostgreSQL is away, the service takes events, and prepares its tables when it is there',
  async () => {
    await site.postgres.halt('soft')
    const service = await site.start()
    const { answered, refused } = await post(() => service.url, 50)
    expect(refused).toEqual([])
    expect((await fetch(`${service.url}/eventmatch`)).status).toBe(503)
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503)
    await site.postgres.resume()
    await service.until('/readyz', 200)
    expect(await site.storedOnce(answered)).toEqual(ALL_STORED)
    expect((await fetch(`${service.url}/eventmatch`)).status).toBe(200)
    expect(await service.process.kill('SIGTERM')).toBe(0)
  },
  PATIENCE,
)

test(
  'a full spool is 503 with Retry-After, counted, and told; what got its 200 before is stored',
  async () => {
    const service = await site.start({ SPOOL_MAX: '4KiB' })
    await service.until('/readyz', 200)
    await site.postgres.halt('hard')
    const { answered, refused } = await post(() => service.url, 60)
    expect(answered.size).toBeGreaterThan(5)
    expect(refused).toEqual(Array(60 - answered.size).fill(503))
    const { text, retryAfter } = await postOne(service.url, anEventText())
    expect([JSON.parse(text), retryAfter]).toMatchObject([{ code: 'SPOOL_FULL' }, '60'])
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    expect(metrics).toContain(`pacifica_receive_refused_total{status="503"} ${refused.length + 1}`)
    await site.postgres.resume()
    expect(await site.storedOnce(answered)).toEqual(ALL_STORED)
    await service.until('/readyz', 200)
  },
  PATIENCE,
)

test(
  'of two processes on one DATA_DIR one dies for good: the other takes in what it left',
  async () => {
    const [one, two] = [await site.start(), await site.start()]
    for (const service of [one, two]) await service.until('/readyz', 200)
    await site.postgres.halt('soft')
    const posted = await Promise.all([one, two].map(({ url }) => post(() => url, 100)))
    const answered = new Map(posted.flatMap((each) => [...each.answered]))
    expect(answered.size).toBe(200)
    await one.process.kill('SIGKILL')
    await site.postgres.resume()
    expect(await site.storedOnce(answered)).toEqual(ALL_STORED)
  },
  PATIENCE,
)
