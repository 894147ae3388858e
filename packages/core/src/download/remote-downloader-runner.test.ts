import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type CartdOptions,
  type SimulatedCartd,
  startCartd,
} from '../../../../test/pacifica/cartd.ts'
import type { CartFaults } from '../../../../test/pacifica/cartd-tar.ts'
import type { TarMember } from '../../../../test/pacifica/tar.ts'
import type { File } from '../models/file.ts'
import { archivedFile, downloaderContract } from './downloader.contract.ts'
import type { CartNews, DownloadOptions } from './downloader-runner.ts'
import { type RemoteDownloaderOptions, RemoteDownloaderRunner } from './remote-downloader-runner.ts'

const QUICK = { pauses: { firstMs: 5, mostMs: 20 } }

downloaderContract('RemoteDownloaderRunner', async (files) => {
  const archived = [...files].map(([path, content], index) => ({ id: index + 1, path, content }))
  const cartd = await startCartd(archived)
  return { runner: new RemoteDownloaderRunner(cartd.url, QUICK), close: () => cartd.close() }
})

const FILES = [archivedFile('top.txt'), archivedFile('a/b/foo.txt'), archivedFile('a/empty.bin')]
const ARCHIVED = [
  { id: 1, path: 'top.txt', content: Buffer.from('top') },
  { id: 2, path: 'a/b/foo.txt', content: Buffer.from('foo') },
  { id: 4, path: 'a/empty.bin', content: Buffer.alloc(0) },
]

/** Headers of three folders and of top.txt, each with a PAX record for the time. */
const TO_TOP_TXT = 4 * 1_536

let root = ''
let task = ''
const cartds: SimulatedCartd[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-remote-download-'))
  task = join(root, 'task')
  await mkdir(task)
})
afterEach(async () => {
  await Promise.all(cartds.splice(0).map((cartd) => cartd.close()))
  await rm(root, { recursive: true })
})

async function cartdWith(
  faults: CartFaults | CartdOptions['faults'] = {},
): Promise<SimulatedCartd> {
  const perCart = typeof faults === 'function' ? faults : () => faults
  const cartd = await startCartd(ARCHIVED, { faults: perCart })
  cartds.push(cartd)
  return cartd
}

function download(
  cartd: SimulatedCartd,
  options: DownloadOptions & RemoteDownloaderOptions & { files?: readonly File[] } = {},
) {
  const runner = new RemoteDownloaderRunner(cartd.url, { ...QUICK, ...options })
  return runner.download(task, options.files ?? FILES, options)
}

/** How a download ends that comes as far as this in time: a busy machine is given more. */
async function endedInVain(cartd: SimulatedCartd, message: RegExp): Promise<Error> {
  for (let timeout = 250; ; timeout *= 8) {
    const error: Error = await download(cartd, { timeout }).then(
      () => new Error('it came to its end'),
      (thrown) => thrown,
    )
    if (message.test(error.message) || timeout > 100_000) return error
  }
}

test('a cart is ordered with every key, asked for, fetched and deleted', async () => {
  const cartd = await cartdWith({ stagingMs: 60 })
  await download(cartd)
  const [cart] = cartd.carts
  expect(cart?.order.fileids[1]).toEqual({
    id: 2,
    path: 'a/b/foo.txt',
    hashtype: 'sha1',
    hashsum: '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33',
  })
  expect(cart).toMatchObject({ deleted: true, heads: expect.any(Number) })
  expect(cart?.heads).toBeGreaterThan(2)
  const [first, ...more] = cartd.calls.map((call) => call.split(' ')[0])
  expect([first, ...more.slice(-2)]).toEqual(['POST', 'GET', 'DELETE'])
  expect(cart?.id).toMatch(/^[0-9a-f-]{36}$/)
})

test('no file, no cart: Cartd would stage it for ever', async () => {
  const cartd = await cartdWith()
  await download(cartd, { files: [] })
  expect(cartd.calls).toEqual([])
})

test.each(['pax', 'gnu'] as const)('a cart in %s format unpacks', async (format) => {
  const cartd = await cartdWith({ format })
  const openers = await download(cartd)
  expect(await Promise.all(openers.map((open) => text(open())))).toEqual(['top', 'foo', ''])
})

test('whatever its one top folder is called', async () => {
  const cartd = await cartdWith({ topFolder: '9c487977-d743-488e-a662-bbb116c6ed67' })
  await download(cartd)
  expect(await readFile(join(task, 'data/a/b/foo.txt'), 'utf8')).toBe('foo')
})

test('a cart that fails says why', async () => {
  const cartd = await cartdWith({ fails: 'Not enough space for cart: é' })
  await expect(download(cartd)).rejects.toMatchObject({
    code: 'CART_FAILED',
    message: expect.stringMatching(
      /could not make cart [0-9a-f-]{36}: Not enough space for cart: é$/,
    ),
  })
  expect(cartd.carts.map(({ deleted }) => deleted)).toEqual([true])
})

test('a file that the archive has not fails the cart', async () => {
  const cartd = await cartdWith()
  const files = [archivedFile('top.txt', { _id: 99 })]
  await expect(download(cartd, { files })).rejects.toThrow('Failed to stage file 99')
})

test('a cart that Cartd has forgotten is an error of its own', async () => {
  const cartd = await cartdWith({ unknown: true })
  await expect(download(cartd)).rejects.toMatchObject({
    code: 'CART_UNKNOWN',
    message: expect.stringContaining('Cartd does not know cart'),
  })
})

test.each([
  ['stages for ever', { stagingMs: 3_600_000 }, /waiting for cart [0-9a-f-]+: waiting\)/],
  ['is ready and is not given', { neverGives: true }, /202 The cart is not ready for download/],
  ['is never ordered, because Cartd hangs', { hangsOn: 'POST' }, /ordering cart/],
  ['is asked for in vain, because Cartd hangs', { hangsOn: 'HEAD' }, /made no progress/],
  ['is fetched in vain, because Cartd hangs', { hangsOn: 'GET' }, /made no progress/],
  ['stops in the middle of its tar', { cutAfter: 2_000, cutBy: 'hang' }, /receiving cart/],
] satisfies [string, CartFaults, RegExp][])(
  'a cart that %s ends with the timeout, which says what was waited for',
  async (_what, faults, message) => {
    const cartd = await cartdWith(faults)
    const error = await endedInVain(cartd, message)
    expect(error).toMatchObject({
      code: 'TRANSFER_TIMEOUT',
      message: expect.stringMatching(message),
    })
    expect(cartd.calls.at(-1)).toMatch(/^DELETE/)
    expect(await readdir(task)).toEqual([])
  },
)

test('a cart that goes on, however slowly, is never cut off', async () => {
  const stagingMessage = (waitedMs: number) => `${Math.floor(waitedMs / 50)} files staged`
  const cartd = await cartdWith({ stagingMs: 900, stagingMessage })
  await expect(download(cartd, { timeout: 400 })).resolves.toHaveLength(3)
})

test.each(['reset', 'end'] as const)(
  'a tar that is cut off (%s) is never a short file: another cart takes the rest',
  async (cutBy) => {
    const cut = { cutAfter: TO_TOP_TXT + 2, cutBy }
    const cartd = await cartdWith((cart) => (cart === 1 ? cut : {}))
    const openers = await download(cartd)
    expect(await Promise.all(openers.map((open) => text(open())))).toEqual(['top', 'foo', ''])
    expect(cartd.carts.map(({ deleted }) => deleted)).toEqual([true, true])
  },
)

test('a second cart has only what the first one had not brought', async () => {
  const cut = { cutAfter: TO_TOP_TXT + 512, cutBy: 'reset' } as const
  const cartd = await cartdWith((cart) => (cart === 1 ? cut : {}))
  await download(cartd)
  const orders = cartd.carts.map(({ order }) => order.fileids.map(({ path }) => path))
  expect(orders).toEqual([
    ['top.txt', 'a/b/foo.txt', 'a/empty.bin'],
    ['a/b/foo.txt', 'a/empty.bin'],
  ])
})

test('once a file has come, a Cartd that is being restarted is waited for', async () => {
  const cut = { cutAfter: TO_TOP_TXT + 512, cutBy: 'reset' } as const
  let refused = 0
  const cartd = await cartdWith((cart) => {
    if (cart === 1) return cut
    refused += 1
    return refused <= 6 ? { answers: { POST: 503 } } : {}
  })
  const openers = await download(cartd)
  expect(await Promise.all(openers.map((open) => text(open())))).toEqual(['top', 'foo', ''])
  expect(cartd.carts[1]?.order.fileids).toHaveLength(2)
})

test('one that stays away ends the download with the timeout, and what has come stays', async () => {
  const cut = { cutAfter: TO_TOP_TXT + 512, cutBy: 'reset' } as const
  const cartd = await cartdWith((cart) => (cart === 1 ? cut : { answers: { POST: 503 } }))
  const message = /made no progress for \d+ ms \(.*answered 503/
  expect(await endedInVain(cartd, message)).toMatchObject({
    code: expect.stringMatching(/^(TRANSFER_TIMEOUT|SERVICE_ANSWER)$/),
  })
  expect(await readdir(join(task, 'data'))).toEqual(['top.txt'])
})

test('a tar that is always cut off is an error that says where', async () => {
  const cartd = await cartdWith({ cutAfter: TO_TOP_TXT + 2, cutBy: 'end' })
  await expect(download(cartd)).rejects.toMatchObject({
    code: 'CART_BROKEN',
    message:
      "the cart's tar broke off after 6146 bytes, in the middle of top.txt: Unexpected end of data",
  })
  expect(cartd.carts).toHaveLength(3)
  expect(await readdir(task)).toEqual([])
})

test('a tar without its end mark is an error, even if it ends between two files', async () => {
  const whole = await cartdWith()
  await download(whole)
  const cartd = await cartdWith({ cutAfter: TO_TOP_TXT + 512, cutBy: 'end' })
  await rm(join(task, 'data'), { recursive: true })
  await expect(download(cartd, { attempts: 1 })).rejects.toThrow('its end mark is missing')
  expect(await readdir(join(task, 'data'))).toEqual(['top.txt'])
})

test('a download that broke off goes on where it was: what is there is checked, not fetched', async () => {
  const broken = await cartdWith({ cutAfter: TO_TOP_TXT + 512, cutBy: 'reset' })
  await expect(download(broken, { attempts: 1 })).rejects.toThrow('broke off')
  const cartd = await cartdWith()
  const told: number[] = []
  await download(cartd, { onProgress: ({ bytes }) => told.push(bytes) })
  expect(cartd.carts[0]?.order.fileids.map(({ path }) => path)).toEqual([
    'a/b/foo.txt',
    'a/empty.bin',
  ])
  expect(told).toEqual([3, 6])
  await download(cartd)
  expect(cartd.carts).toHaveLength(1)
})

test.each([
  ['missing', { omits: ['top.txt'] }, 'FilesMissingError', 'top.txt: it is not in the cart'],
  [
    'extra',
    { adds: [{ name: 'data/more.txt', content: Buffer.from('x') }] },
    'FilesExtraError',
    'more.txt: it is in the cart and was not ordered',
  ],
  [
    'truncated',
    { truncates: ['top.txt'] },
    'FilesTruncatedError',
    'top.txt: it has 2 bytes, the event says 3',
  ],
  [
    'altered',
    { alters: ['top.txt'] },
    'FilesAlteredError',
    'top.txt: its sha1 is 7aa11db0da17132e12947127f2dfd67204613262, the event says',
  ],
] satisfies [string, CartFaults, string, string][])(
  'a file that is %s is named',
  async (_what, faults, name, message) => {
    const cartd = await cartdWith(faults)
    const downloading = download(cartd)
    await expect(downloading).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    })
    expect(cartd.carts.map(({ deleted }) => deleted)).toEqual([true])
  },
)

test('files with several faults are all named in one error', async () => {
  const cartd = await cartdWith({ omits: ['top.txt'], alters: ['a/b/foo.txt'] })
  await expect(download(cartd)).rejects.toMatchObject({
    name: 'FilesUnavailableError',
    code: 'FILES_UNAVAILABLE',
    files: [
      { path: 'a/b/foo.txt', code: 'FILES_ALTERED' },
      { path: 'top.txt', code: 'FILES_MISSING' },
    ],
  })
  expect(await readdir(join(task, 'data'))).toEqual(['a'])
})

test.each([
  [{ name: '/etc/passwd' }, 'is absolute'],
  [{ name: 'data/../../secret' }, 'contains ".."'],
  [{ name: '../secret' }, 'contains ".."'],
  [{ name: 'data/link', type: 'symlink', linkname: '/etc' }, 'is a symlink'],
  [{ name: 'data/hard', type: 'hardlink', linkname: '/etc/passwd' }, 'is a link'],
  [{ name: 'data/null', type: 'character-device' }, 'is a character-device'],
  [{ name: 'data/disk', type: 'block-device' }, 'is a block-device'],
  [{ name: 'data/pipe', type: 'fifo' }, 'is a fifo'],
  [{ name: 'data/odd', type: 'unheardOf' }, 'is a thing of unknown kind'],
  [{ name: 'elsewhere/x' }, 'is not below "data"'],
  [{ name: 'data' }, 'lies beside the top folder'],
] satisfies [TarMember, string][])('a cart with %j is refused', async (member, reason) => {
  const adds = [{ content: Buffer.from('gotcha'), ...member }]
  const cartd = await cartdWith({ adds })
  await expect(download(cartd)).rejects.toMatchObject({
    code: 'CART_MEMBER',
    member: member.name,
    message: expect.stringContaining(`the cart was refused: "${member.name}" ${reason}`),
  })
  expect(await readdir(root)).toEqual(['task'])
  expect(await readdir(task)).toEqual(['data'])
  expect(cartd.carts).toMatchObject([{ deleted: true }])
})

test('what is no tar is an error', async () => {
  const cartd = await cartdWith({ raw: Buffer.from('<html>'.repeat(500)) })
  await expect(download(cartd, { attempts: 1 })).rejects.toThrow('Invalid tar header')
})

test('a tar that will not end is called off', async () => {
  const endless = Array.from({ length: 40 }, (_, index) => ({
    name: `data/more-${index}`,
    content: Buffer.alloc(100_000),
  }))
  const cartd = await cartdWith({ adds: endless })
  await expect(download(cartd)).rejects.toMatchObject({ name: 'FilesExtraError' })
  const zeros = await cartdWith({ raw: Buffer.alloc(5_000_000) })
  await rm(join(task, 'data'), { recursive: true })
  await expect(download(zeros)).rejects.toMatchObject({ code: 'DOWNLOAD_TOO_LARGE' })
})

test('the limit holds for files whose size the event does not know', async () => {
  const cartd = await cartdWith()
  const files = FILES.map(({ path }) => archivedFile(path, { size: undefined }))
  await expect(download(cartd, { files, maxBytes: 5 })).rejects.toMatchObject({
    code: 'DOWNLOAD_TOO_LARGE',
    maxBytes: 5,
    bytes: 6,
  })
  expect(cartd.carts).toMatchObject([{ deleted: true }])
  await expect(download(cartd, { files, maxBytes: 6 })).resolves.toHaveLength(3)
})

test.each([
  ['POST', 'POST http://127.0.0.1'],
  ['GET', 'GET http://127.0.0.1'],
])(
  'a connection that is reset at %s is tried again, and named in the end',
  async (resetsOn, call) => {
    const once = await cartdWith((cart) => (cart === 1 ? { resetsOn } : {}))
    // The order never arrived, so that it is still the first: the switch stays on.
    const outcome = download(once, { attempts: 2 })
    if (resetsOn === 'GET') await expect(outcome).resolves.toHaveLength(3)
    else await expect(outcome).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE' })
    await rm(join(task, 'data'), { recursive: true, force: true })
    const always = await cartdWith({ resetsOn })
    await expect(download(always)).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: expect.stringContaining(call),
    })
  },
)

test('a question that gets no answer is asked again: the cart may have taken hours', async () => {
  let asked = 0
  const away = { answers: { HEAD: 503 } }
  const faults = {
    get answers() {
      asked += 1
      return asked <= 6 ? away.answers : {}
    },
  }
  const cartd = await cartdWith(faults)
  await download(cartd)
  expect(cartd.carts).toHaveLength(1)
  expect(cartd.calls.filter((call) => call.startsWith('HEAD')).length).toBeGreaterThan(3)
  const stays = await cartdWith(away)
  await rm(join(task, 'data'), { recursive: true })
  const message = /waiting for cart .*: HEAD .*answered 503/
  expect(await endedInVain(stays, message)).toMatchObject({
    code: 'TRANSFER_TIMEOUT',
    message: expect.stringMatching(message),
  })
})

test.each([
  [401, 'check the user and the password'],
  [301, 'redirects are not followed: set the URL that it leads to'],
  [400, 'answered 400 "something is wrong"'],
])('an order that is answered %i fails at once and says what to do', async (status, message) => {
  const cartd = await cartdWith({ answers: { POST: status } })
  await expect(download(cartd)).rejects.toMatchObject({
    code: 'SERVICE_ANSWER',
    status,
    message: expect.stringContaining(message),
  })
  expect(cartd.calls).toHaveLength(1)
})

test('a Cartd that is not there is named, without its password', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const left: string[] = []
  const onCartLeft = (url: string) => left.push(url)
  const url = `http://joe:secret%@127.0.0.1:${port}/`
  const runner = new RemoteDownloaderRunner(url, { ...QUICK, onCartLeft })
  const error: Error = await runner.download(task, FILES).then(
    () => new Error('it was there'),
    (thrown) => thrown,
  )
  expect(error.message).toMatch(
    /^POST http:\/\/127\.0\.0\.1:\d+\/[0-9a-f-]+: no answer \(connect ECONNREFUSED/,
  )
  expect(error.message).not.toContain('secret')
  expect(left).toEqual([])
})

test('user and password are sent, from the options or the URL', async () => {
  const basicAuth = { user: 'jöe', password: 's:ecret%' }
  const cartd = await startCartd(ARCHIVED, { basicAuth })
  cartds.push(cartd)
  await expect(download(cartd)).rejects.toMatchObject({ status: 401 })
  await download(cartd, basicAuth)
  const url = new URL(cartd.url)
  url.username = basicAuth.user
  url.password = encodeURIComponent(basicAuth.password)
  await rm(join(task, 'data'), { recursive: true })
  await new RemoteDownloaderRunner(url, QUICK).download(task, FILES)
})

test('a cart that cannot be deleted is told of, and the files are there all the same', async () => {
  const left: string[] = []
  const onCartLeft = (url: string, error: Error) => left.push(`${url} ${error.message}`)
  const cartd = await cartdWith({ answers: { DELETE: 500 } })
  await download(cartd, { onCartLeft })
  expect(left).toEqual([expect.stringMatching(/^http:.*answered 500/)])
})

test('whoever stores the carts knows of each before it is ordered, and until it is gone', async () => {
  const cartd = await cartdWith((cart) => (cart === 1 ? { answers: { DELETE: 500 } } : {}))
  const told: string[] = []
  const onCart = async ({ id, step }: CartNews) => {
    const there = cartd.carts.some((cart) => cart.id === id && !cart.deleted)
    told.push(`${step} ${there}`)
  }
  await download(cartd, { onCart })
  expect(told).toEqual(['ordering false'])
  await rm(join(task, 'data'), { recursive: true })
  await download(cartd, { onCart })
  expect(told).toEqual(['ordering false', 'ordering false', 'gone false'])
  expect(cartd.carts.map(({ deleted }) => deleted)).toEqual([false, true])
})

test('a cart that cannot be stored is not ordered', async () => {
  const cartd = await cartdWith()
  const onCart = () => Promise.reject(new Error('the lease is lost'))
  await expect(download(cartd, { onCart })).rejects.toThrow('the lease is lost')
  expect(cartd.calls).toEqual([])
})

test('a cart that an earlier process has left can be deleted, once or again', async () => {
  const cartd = await cartdWith()
  const cart: string[] = []
  const hold = new AbortController()
  await download(cartd, { onCart: ({ id }) => void cart.push(id) })
  const left = cartd.carts[0]
  if (left) left.deleted = false
  const runner = new RemoteDownloaderRunner(cartd.url, QUICK)
  for (let times = 0; times < 2; times += 1) await runner.removeCart(cart[0] ?? '', hold.signal)
  expect(left?.deleted).toBe(true)
})

test('a download that is called off deletes its cart, and does not wait long for that', async () => {
  const cancel = new AbortController()
  const cartd = await cartdWith({ stagingMs: 3_600_000, hangsOn: 'DELETE' })
  const left: string[] = []
  const onCartLeft = (_url: string, error: Error) => left.push(error.message)
  const onNews = () => cancel.abort(new Error('cancelled'))
  const options = { signal: cancel.signal, onCartLeft, onNews }
  await expect(download(cartd, options)).rejects.toThrow('cancelled')
  expect(cartd.calls.at(-1)).toMatch(/^DELETE/)
  expect(left).toEqual([expect.stringContaining('no answer in 1500 ms')])
})

test('a download that is called off in the middle of the tar leaves no half file', async () => {
  const cancel = new AbortController()
  const cartd = await cartdWith({ cutAfter: TO_TOP_TXT + 2, cutBy: 'hang' })
  const onProgress = () => cancel.abort(new Error('cancelled'))
  await expect(download(cartd, { signal: cancel.signal, onProgress })).rejects.toThrow('cancelled')
  expect(await readdir(task)).toEqual([])
  expect(cartd.carts).toMatchObject([{ deleted: true }])
})

test.each([
  [{ _id: undefined }, 'Files: "_id" of top.txt is missing; Cartd needs it'],
  [{ hashsum: undefined }, 'Files: "hashsum" of top.txt is missing'],
  [{ hashtype: undefined }, 'Files: "hashtype" of top.txt is missing'],
  [{ hashtype: 'crc7' }, 'Files: "hashtype" of top.txt is "crc7", which cannot be checked here'],
])(
  'an event without what Cartd needs is refused before anything is ordered: %j',
  async (said, message) => {
    const cartd = await cartdWith()
    const files = [archivedFile('top.txt', said)]
    await expect(download(cartd, { files })).rejects.toThrow(message)
    expect(cartd.calls).toEqual([])
  },
)

test('files that cannot lie side by side are refused before anything is ordered', async () => {
  const cartd = await cartdWith()
  const twice = [archivedFile('top.txt'), archivedFile('top.txt', { hashsum: 'ab' })]
  await expect(download(cartd, { files: twice })).rejects.toThrow(
    'two different files of this name',
  )
  const nested = [archivedFile('top.txt'), archivedFile('a/b/foo.txt', { subdir: 'top.txt' })]
  await expect(download(cartd, { files: nested })).rejects.toThrow('which would be its folder')
  expect(cartd.calls).toEqual([])
})

test('hashes of other kinds are checked, whatever their case', async () => {
  const cartd = await cartdWith()
  const files = [
    archivedFile('top.txt', { hashtype: 'MD5', hashsum: 'B28354B543375BFA94DABAEDA722927F' }),
  ]
  await expect(download(cartd, { files })).resolves.toHaveLength(1)
})

test('a folder that is not there is an error that names it', async () => {
  await writeFile(join(root, 'file'), '')
  const cartd = await cartdWith()
  const runner = new RemoteDownloaderRunner(cartd.url)
  await expect(runner.download(join(root, 'gone'), FILES)).rejects.toThrow('gone')
})
