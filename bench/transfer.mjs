/**
 * Download and upload beside their peers, in pairs in one run:
 *   ours: order a cart, stream it to the disk, check every hash     beside   curl | tar x, then sha1sum of every file
 *   ours: bundle a folder, hash it, send it                         beside   tar c | curl
 *
 * npm run build && node bench/transfer.mjs [FILESxMIB …] [--rounds N] [--folder DIR]
 * Without arguments: 1000x1 and 1x4096, three rounds. Needs curl, tar, sha1sum and twice the bytes on the disk.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, folder: { type: 'string' } },
})
const rounds = Number(values.rounds ?? 3)
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

for (const load of positionals.length > 0 ? positionals : ['1000x1', '1x4096']) {
  const [count, mebibytes] = load.split('x').map(Number)
  await measure(count, mebibytes * 1024 * 1024)
}

async function measure(count, size) {
  const root = await mkdtemp(join(values.folder ?? tmpdir(), 'pacifica-bench-'))
  const server = spawn(process.execPath, [
    here('../test/harness/run-typescript.mjs'),
    here('transfer-server.ts'),
    String(count),
    String(size),
  ])
  try {
    server.stderr.pipe(process.stderr)
    const { cartd, ingest, files } = JSON.parse(await firstLine(server.stdout))
    const list = join(root, 'files.json')
    await writeFile(list, JSON.stringify(files))
    const pairs = { download: [], upload: [] }
    for (let round = 0; round < rounds; round += 1) {
      const ours = await inFolder(root, (folder) => client('download', cartd, folder, list))
      const source = join(root, 'source')
      await mkdir(source)
      pairs.download.push({ ours, peer: await curlTarSha1(cartd, files, source) })
      const sent = await client('upload', ingest, join(source, 'data'))
      pairs.upload.push({ ours: sent, peer: await tarCurl(ingest, source) })
      await rm(source, { recursive: true })
    }
    for (const [what, measured] of Object.entries(pairs)) report(what, count, size, measured)
  } finally {
    server.kill()
    await rm(root, { recursive: true, force: true })
  }
}

async function inFolder(root, work) {
  const folder = join(root, randomUUID())
  await mkdir(folder)
  await shell('sync')
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function client(...args) {
  await shell('sync')
  const child = spawn(process.execPath, [here('transfer-client.mjs'), ...args])
  child.stderr.pipe(process.stderr)
  return JSON.parse(await firstLine(child.stdout))
}

async function curlTarSha1(cartd, files, folder) {
  const cart = `${cartd}/${randomUUID()}`
  const fileids = files.map(({ hashsum, id, path }) => ({ id, path, hashsum, hashtype: 'sha1' }))
  await fetch(cart, { method: 'POST', body: JSON.stringify({ fileids }) })
  await shell('sync')
  const unpack = `curl -sf '${cart}?filename=data' | tar xf - -C '${folder}'`
  return await shell(`${unpack} && find '${folder}' -type f -print0 | xargs -0 sha1sum > /dev/null`)
}

async function tarCurl(ingest, folder) {
  await shell('sync')
  return await shell(
    `tar cf - -C '${folder}' data | curl -sf -X POST -T - '${ingest}/upload' > /dev/null`,
  )
}

async function shell(command) {
  const started = performance.now()
  const stdio = ['ignore', 'pipe', 'inherit']
  const child = spawn('bash', ['-o', 'pipefail', '-e', '-c', `${command}\ntimes`], { stdio })
  let times = ''
  child.stdout.on('data', (chunk) => {
    times += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${command}: ended with ${code}`)
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: cpuOf(times) }
}

/** From bash's `times`: user and system of the shell, then of its children, each as `0m1.234s`. */
function cpuOf(times) {
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)]
  return parts.reduce((sum, [, minutes, seconds]) => sum + 60 * minutes + Number(seconds), 0)
}

async function firstLine(stream) {
  let text = ''
  for await (const chunk of stream) {
    text += chunk
    if (text.includes('\n')) break
  }
  return text.slice(0, text.indexOf('\n'))
}

/** The middle of the pairs' ratios, with the smallest and the largest as the noise. */
function report(what, count, size, pairs) {
  const megabytes = (count * size) / 1e6
  const speeds = (side) => spread(pairs.map((pair) => megabytes / pair[side].seconds))
  const ratio = spread(pairs.map(({ ours, peer }) => (100 * peer.seconds) / ours.seconds))
  const cpu = (side) => spread(pairs.map((pair) => 10 * pair[side].cpuSeconds))
  const memory = Math.max(...pairs.map(({ ours }) => ours.maxRssKiB)) / 1024
  console.log(
    `${what} ${count} × ${size / 1024 / 1024} MiB: ours ${speeds('ours')} MB/s, peer ${speeds('peer')} MB/s, ` +
      `ours at ${ratio} % of the peer's speed; processor ours ${cpu('ours')}, peer ${cpu('peer')} tenths of a second; ` +
      `our peak memory ${memory.toFixed(0)} MiB`,
  )
}

function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b).map((number) => number.toFixed(0))
  return `${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}–${sorted.at(-1)})`
}
