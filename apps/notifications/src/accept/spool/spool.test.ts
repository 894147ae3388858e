/** The spool on disk: what is in it survives, stays in order, and never goes past its limit. */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Event } from '@pacifica/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../../../../test/harness/index.ts'
import { SpoolFolderError, SpoolFullError, SpoolUnwritableError } from './errors.ts'
import { type Arrival, decodeRecords, encodeRecord } from './record.ts'
import { openSpool, type Spool } from './spool.ts'

const MiB = 1024 * 1024

let folder: string
let open: Spool[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-spool-'))
  open = []
})
afterEach(async () => {
  for (const spool of open) await spool.close()
  await rm(folder, { recursive: true, force: true })
})

function aSpool(maxBytes = MiB): Spool {
  const group = { waitMs: 1, maxEvents: 10, maxBytes: MiB }
  const spool = openSpool({ log: silentLog }, { folder, maxBytes, group })
  open.push(spool)
  return spool
}

/** As after a SIGKILL: the kernel frees the lock, and nothing else happens. */
async function killed(spool: Spool): Promise<void> {
  open = open.filter((each) => each !== spool)
  await spool.close()
}

function anArrival(data = '1', receivedMs = Date.now()): Arrival {
  const text = `{"cloudEventsVersion":"0.1","eventType":"t","source":"/s","eventID":"${randomUUID()}","data":${data}}`
  return { uuid: randomUUID(), received: new Date(receivedMs), event: Event.parse(text) }
}

async function contents(spool: Spool): Promise<string[]> {
  const arrivals: Arrival[] = []
  const waiting = spool.nextFolder()
  for (const file of waiting?.files() ?? [])
    arrivals.push(...decodeRecords((await waiting?.read(file)) ?? Buffer.alloc(0)).arrivals)
  return arrivals.map(({ uuid }) => uuid)
}

test('what was added is there after the process died, in order of arrival', async () => {
  const spool = aSpool()
  const uuids: string[] = []
  for (let n = 0; n < 30; n += 1) {
    const together = [anArrival(), anArrival(), anArrival()]
    await Promise.all(together.map((arrival) => spool.add(arrival)))
    uuids.push(...together.map(({ uuid }) => uuid))
  }
  await killed(spool)
  const next = aSpool()
  expect(await contents(next)).toEqual(uuids)
  expect(next.waiting.files).toBeGreaterThanOrEqual(30)
})

test('order holds, and nothing is overwritten, when the clock was set back', async () => {
  const spool = aSpool()
  const now = Date.now()
  const arrivals = [now, now, now - 3_600_000, now - 7_200_000].map((ms) => anArrival('1', ms))
  for (const arrival of arrivals.slice(0, 3)) await spool.add(arrival)
  await killed(spool)
  const next = aSpool()
  for (const arrival of arrivals.slice(3)) await next.add(arrival)
  expect(await contents(next)).toEqual(arrivals.map(({ uuid }) => uuid))
})

test('an event comes back byte for byte, under its id', () => {
  const data = '{"a": 1.0,"a": 1e400,"e": "\\u00e9 é 😀\\n"}'
  const arrival = anArrival(data)
  const { arrivals, bad } = decodeRecords(encodeRecord(arrival))
  expect(bad).toEqual([])
  expect(arrivals[0]?.event.text).toBe(arrival.event.text)
  expect(arrivals[0]).toMatchObject({ uuid: arrival.uuid, received: arrival.received })
})

test('it keeps its trace, and a trace that is none is left out', () => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const traceOf = (given: string) =>
    decodeRecords(encodeRecord({ ...anArrival(), trace: given })).arrivals[0]?.trace
  expect(traceOf(trace)).toBe(trace)
  expect(traceOf('garbage')).toBeUndefined()
})

test('a damaged record costs no other one, a file that breaks off only its end', () => {
  const [first, second, third] = [anArrival('"first"'), anArrival('"second"'), anArrival('"third"')]
  const file = Buffer.concat([first, second, third].map(encodeRecord))
  const damaged = Buffer.from(file)
  damaged[file.indexOf('"second"') + 1] = 0x58
  const found = decodeRecords(damaged)
  expect(found.arrivals.map(({ uuid }) => uuid)).toEqual([first.uuid, third.uuid])
  expect(found.bad.map(({ reason }) => reason)).toEqual([expect.stringContaining('digest')])
  const broken = decodeRecords(file.subarray(0, file.length - 5))
  expect(broken.arrivals.map(({ uuid }) => uuid)).toEqual([first.uuid, second.uuid])
  expect(broken.bad.map(({ reason }) => reason)).toEqual([expect.stringContaining('long')])
  for (const nonsense of ['nonsense', 'nonsense\n', '{}\n', 'null\n', '{"id":5}\n{}\n'])
    expect(decodeRecords(Buffer.from(nonsense)).bad).toHaveLength(1)
})

test('a file that was being written when the process died is cleared away', async () => {
  await mkdir(join(folder, '0'))
  await writeFile(join(folder, '0', '000001795309261234-00000000.events.new'), 'half')
  const spool = aSpool()
  expect(spool.waiting).toMatchObject({ files: 0, bytes: 0 })
  expect(await readdir(join(folder, '0'))).toEqual(['lock'])
})

test('it takes no more than its limit, also from many at once, and room that is freed is used', async () => {
  const arrival = anArrival()
  const size = encodeRecord(arrival).length
  const spool = aSpool(3 * size)
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => spool.add(anArrival())))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(refused).toHaveLength(5)
  for (const { reason } of refused) expect(reason).toBeInstanceOf(SpoolFullError)
  await expect(spool.add(anArrival())).rejects.toBeInstanceOf(SpoolFullError)
  expect(spool.trouble()).toContain('full')
  expect(spool.waiting.bytes).toBe(3 * size)
  const waiting = spool.nextFolder()
  for (const file of [...(waiting?.files() ?? [])]) await waiting?.remove(file)
  await spool.add(anArrival())
  expect(spool.trouble()).toBeUndefined()
})

test('a disk that refuses is told as such, and the next event tries again', async () => {
  const spool = aSpool()
  await rm(join(folder, '0'), { recursive: true })
  await expect(spool.add(anArrival())).rejects.toBeInstanceOf(SpoolUnwritableError)
  expect(spool.trouble()).toContain('cannot be written')
  await mkdir(join(folder, '0'))
  await spool.add(anArrival())
  expect(spool.waiting.files).toBe(1)
})

test('a folder that cannot be made ends the start with what to do', async () => {
  await writeFile(join(folder, 'file'), '')
  const within = join(folder, 'file', 'spool')
  const options = { folder: within, maxBytes: 1, group: { waitMs: 1, maxEvents: 1, maxBytes: 1 } }
  expect(() => openSpool({ log: silentLog }, options)).toThrow(SpoolFolderError)
  expect(() => openSpool({ log: silentLog }, options)).toThrow('DATA_DIR')
})

test('two processes on one DATA_DIR share nothing; what a dead one left is adopted once', async () => {
  const [one, two] = [aSpool(), aSpool()]
  const [ofOne, ofTwo] = [anArrival(), anArrival()]
  await one.add(ofOne)
  await two.add(ofTwo)
  one.adopt()
  expect(await contents(one)).toEqual([ofOne.uuid])
  await killed(two)
  const three = aSpool()
  expect(await contents(three), 'a process that starts takes over the folder').toEqual([ofTwo.uuid])
  await killed(three)

  one.adopt()
  one.adopt()
  expect(one.waiting.files).toBe(2)
  const four = aSpool()
  expect(await contents(four), 'adopted by one, so free to nobody else').toEqual([])
  for (const expected of [ofOne, ofTwo]) {
    expect(await contents(one)).toEqual([expected.uuid])
    const waiting = one.nextFolder()
    for (const file of [...(waiting?.files() ?? [])]) await waiting?.remove(file)
  }
  expect(one.nextFolder()).toBeUndefined()
  one.adopt()
  expect(one.waiting.files).toBe(0)
})

test('what is set aside is kept with its reason', async () => {
  const spool = aSpool()
  await spool.add(anArrival())
  const waiting = spool.nextFolder()
  const [file] = waiting?.files() ?? []
  if (waiting === undefined || file === undefined) throw new Error('nothing was spooled')
  const path = await waiting.keepAside(file, 1, Buffer.from('bytes'), 'because')
  expect(await readFile(path, 'utf8')).toBe('bytes')
  expect(await readFile(`${path}.reason.txt`, 'utf8')).toBe('because\n')
  expect(spool.waiting).toMatchObject({ files: 1, setAside: 1 })
})
