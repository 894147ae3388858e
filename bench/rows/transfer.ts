/**
 * Download and upload beside their peers, in pairs:
 *   ours: order a cart, stream it to the disk, check every hash     beside   curl | tar x, then sha1sum of every file
 *   ours: bundle a folder, hash it, send it                         beside   tar c | curl
 * Needs curl, tar, sha1sum, and twice the bytes on the disk.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linesOf, spawnTypeScript } from '../../test/harness/typescript-process.ts'
import { goodness, medianOf, numberText } from '../figures.ts'
import type { Measured, Row, RowOptions } from '../row.ts'

const MIB = 1024 * 1024
const LEAST_GOODNESS = 0.6
const MOST_MIB = 200
const CLIENT = join(import.meta.dirname, '../transfer/client.mjs')
const SERVER = new URL('../transfer/server.ts', import.meta.url)

interface Load {
  readonly count: number
  readonly bytes: number
}

/** What the services' side says when it listens. */
interface Services {
  readonly cartd: string
  readonly ingest: string
  readonly files: readonly { id: number; path: string; size: number; hashsum: string }[]
}

interface Ours {
  readonly seconds: number
  readonly maxRssKiB: number
}

interface Pair {
  readonly ours: Ours
  readonly peerSeconds: number
}

interface Pairs {
  readonly downloads: readonly Pair[]
  readonly uploads: readonly Pair[]
}

export const row: Row = {
  name: 'transfer',
  what: 'files from Cartd and bundles to Ingest, every hash checked',
  async run(options) {
    const loads = options.quick
      ? [{ count: 3, bytes: MIB }]
      : [
          { count: 1, bytes: 1024 * MIB },
          { count: 1024, bytes: MIB },
        ]
    const measured: Measured[] = []
    for (const load of loads) measured.push(...casesOf(load, await measure(load, options)))
    return measured
  },
}

async function measure(load: Load, { rounds, print }: RowOptions): Promise<Pairs> {
  const root = await mkdtemp(join(tmpdir(), 'transfer-'))
  const server = spawnTypeScript(SERVER, [String(load.count), String(load.bytes)])
  try {
    const services = JSON.parse(await firstLine(server)) as Services
    const list = join(root, 'files.json')
    await writeFile(list, JSON.stringify(services.files))
    const [downloads, uploads]: [Pair[], Pair[]] = [[], []]
    for (let round = 0; round < rounds; round += 1) {
      const source = join(root, randomUUID())
      await mkdir(source)
      downloads.push(await download(services, list, source))
      uploads.push(await upload(services, source))
      await rm(source, { recursive: true })
      print(`round ${round + 1} of ${nameOf(load)}`)
    }
    return { downloads, uploads }
  } finally {
    server.kill()
    await rm(root, { recursive: true, force: true })
  }
}

/** The peer's files stay in `source`. */
async function download({ cartd, files }: Services, list: string, source: string): Promise<Pair> {
  const folder = `${source}-ours`
  await mkdir(folder)
  const ours = await client('download', cartd, folder, list)
  await rm(folder, { recursive: true })
  const cart = `${cartd}/${randomUUID()}`
  const fileids = files.map(({ hashsum, id, path }) => ({ id, path, hashsum, hashtype: 'sha1' }))
  await fetch(cart, { method: 'POST', body: JSON.stringify({ fileids }) })
  const unpack = `curl -sf '${cart}?filename=data' | tar xf - -C '${source}'`
  const check = `find '${source}' -type f -print0 | xargs -0 sha1sum > /dev/null`
  return { ours, peerSeconds: await shell(`${unpack} && ${check}`) }
}

async function upload({ ingest }: Services, source: string): Promise<Pair> {
  const ours = await client('upload', ingest, join(source, 'data'))
  const send = `curl -sf -X POST -T - '${ingest}/upload' > /dev/null`
  return { ours, peerSeconds: await shell(`tar cf - -C '${source}' data | ${send}`) }
}

async function client(...args: string[]): Promise<Ours> {
  await shell('sync')
  const child = spawn(process.execPath, [CLIENT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await firstLine(child)) as Ours
}

/** Seconds, with what was written before out of the way. */
async function shell(command: string): Promise<number> {
  if (command !== 'sync') await shell('sync')
  const from = performance.now()
  const child = spawn('bash', ['-o', 'pipefail', '-e', '-c', command], { stdio: 'inherit' })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command}: ended with ${code}; it needs curl, tar and sha1sum`)
  return (performance.now() - from) / 1000
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of linesOf(child)) return line
  throw new Error(`${child.spawnargs.slice(1).join(' ')}: ended before it said anything`)
}

function casesOf(load: Load, { downloads, uploads }: Pairs): Measured[] {
  return [
    caseOf(`download of ${nameOf(load)}`, { load, pairs: downloads, peer: 'curl | tar, sha1sum' }),
    caseOf(`upload of ${nameOf(load)}`, { load, pairs: uploads, peer: 'tar | curl' }),
    memoryOf(`peak memory, ${nameOf(load)}`, [...downloads, ...uploads]),
  ]
}

function caseOf(what: string, of: { load: Load; pairs: readonly Pair[]; peer: string }): Measured {
  const mebibytes = (of.load.count * of.load.bytes) / MIB
  const measured = {
    what,
    unit: 'MiB/s',
    ours: of.pairs.map(({ ours }) => Math.round(mebibytes / ours.seconds)),
    peer: {
      name: of.peer,
      figures: of.pairs.map(({ peerSeconds }) => Math.round(mebibytes / peerSeconds)),
    },
  }
  const reached = medianOf(goodness(measured)) >= LEAST_GOODNESS
  return { ...measured, goal: { text: '≥ 60 % of the peer', reached } }
}

function memoryOf(what: string, pairs: readonly Pair[]): Measured {
  const peaks = pairs.map(({ ours }) => Math.round(ours.maxRssKiB / 1024))
  const reached = Math.max(...peaks) < MOST_MIB
  return { what, unit: 'MiB', ours: peaks, goal: { text: '< 200 MiB', reached } }
}

function nameOf({ count, bytes }: Load): string {
  return `${numberText(count)} × ${numberText(bytes / MIB)} MiB`
}
