/**
 * A simulated Cartd: its four calls as the real one answers them, over files that a test gives, with a switch for each
 * way in which the real one, the network or somebody hostile may fail.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type CartFaults, cartTar, type TarPart } from './cartd-tar.ts'
import { atOnce, type Listening, listenOn, readBody } from './listening.ts'

/** A file in the archive. */
export interface ArchivedFile {
  readonly id: number | string
  /** `<subdir>/<name>`. */
  readonly path: string
  readonly content: Buffer | TarPart
}

export interface Cart {
  readonly id: string
  readonly order: CartOrder
  readonly faults: CartFaults
  readonly orderedAt: number
  /** How often it was asked for by HEAD. */
  heads: number
  deleted: boolean
}

export interface CartOrder {
  readonly fileids: readonly {
    readonly id: number | string
    readonly path: string
    readonly hashtype: string
    readonly hashsum: string
  }[]
}

export interface SimulatedCartd extends Listening {
  readonly carts: readonly Cart[]
  /** `POST /<id>`, in the order of arrival. */
  readonly calls: readonly string[]
  /** Headers of the last call. */
  readonly lastHeaders: IncomingMessage['headers']
}

export interface CartdOptions {
  /** For each cart, counted from 1; none unless given. */
  readonly faults?: (cart: number) => CartFaults
  /** Refuses whoever has not this user and password. */
  readonly basicAuth?: { readonly user: string; readonly password: string }
}

interface World {
  readonly files: readonly ArchivedFile[]
  readonly carts: Cart[]
  readonly faults: (cart: number) => CartFaults
}

export async function startCartd(
  files: readonly ArchivedFile[],
  { faults = () => ({}), basicAuth }: CartdOptions = {},
): Promise<SimulatedCartd> {
  const world: World = { files, carts: [], faults }
  const calls: string[] = []
  let lastHeaders: IncomingMessage['headers'] = {}
  const server = createServer((request, response) => {
    lastHeaders = request.headers
    const { pathname } = new URL(request.url ?? '', 'http://cartd')
    calls.push(`${request.method} ${pathname}`)
    if (basicAuth && request.headers.authorization !== basic(basicAuth)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="cartd"' }).end('who are you?')
      return
    }
    atOnce(() => answer(world, request, response), response)
  })
  const listening = await listenOn(server)
  return {
    ...listening,
    carts: world.carts,
    calls,
    get lastHeaders() {
      return lastHeaders
    },
  }
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse) {
  const { pathname } = new URL(request.url ?? '', 'http://cartd')
  const id = pathname.split('/').at(-1) ?? ''
  const { method = '' } = request
  if (method === 'POST') return await order(world, id, request, response)
  const cart = world.carts.find((one) => one.id === id && !one.deleted)
  const call = METHODS[method]
  if (cart && misbehaves(cart.faults, method, response)) return
  if (cart === undefined || cart.faults.unknown) return notFound(id, response)
  if (call === undefined) return void response.writeHead(405).end()
  await call(cart, world, request, response)
}

const METHODS: Record<string, Call> = { HEAD: head, GET: get, DELETE: remove }
type Call = (
  cart: Cart,
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void> | void

async function order(world: World, id: string, request: IncomingMessage, response: ServerResponse) {
  const faults = world.faults(world.carts.length + 1)
  const text = await readBody(request)
  if (misbehaves(faults, 'POST', response)) return
  const order = readOrder(text)
  if (order === undefined) {
    json(response, 400, {
      message: 'a list of fileids with id, path, hashtype, hashsum',
      traceback: '',
    })
    return
  }
  world.carts.push({ id, order, faults, orderedAt: performance.now(), heads: 0, deleted: false })
  json(response, 201, { message: 'Cart Processing has begun' })
}

/** Every key is required; others are none of its business. */
function readOrder(text: string): CartOrder | undefined {
  try {
    const { fileids }: CartOrder = JSON.parse(text)
    const whole = fileids.every(
      ({ id, path, hashtype, hashsum }) =>
        (typeof id === 'string' || Number.isInteger(id)) &&
        [path, hashtype, hashsum].every((field) => typeof field === 'string'),
    )
    return whole ? { fileids } : undefined
  } catch {
    return undefined
  }
}

function head(cart: Cart, world: World, _request: IncomingMessage, response: ServerResponse): void {
  cart.heads += 1
  const { status, message } = statusOf(cart, world)
  const headers = { 'x-pacifica-status': status, 'x-pacifica-message': latin1(message) }
  response.writeHead(status === 'error' ? 500 : 204, headers).end()
}

const STEPS = ['waiting', 'staging', 'bundling'] as const

function statusOf(cart: Cart, { files }: World): { status: string; message: string } {
  const { faults, order, orderedAt } = cart
  if (faults.fails !== undefined) return { status: 'error', message: faults.fails }
  // The real one never looks at an empty cart again.
  if (order.fileids.length === 0) return { status: 'staging', message: '' }
  const lost = order.fileids.find(({ id }) => !files.some((file) => isDeepStrictEqual(file.id, id)))
  if (lost) return { status: 'error', message: `Failed to stage file ${lost.id}: 404 Not Found` }
  const { stagingMs = 0 } = faults
  const waited = performance.now() - orderedAt
  if (waited >= stagingMs) return { status: 'ready', message: '' }
  const step = STEPS[Math.floor((waited / stagingMs) * STEPS.length)] ?? 'bundling'
  return { status: step, message: faults.stagingMessage?.(waited) ?? '' }
}

async function get(
  cart: Cart,
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (cart.faults.neverGives || statusOf(cart, world).status !== 'ready') {
    response.writeHead(202, { 'content-type': 'text/plain' })
    response.end('The cart is not ready for download.')
    return
  }
  const name = new URL(request.url ?? '', 'http://cartd').searchParams.get('filename') ?? cart.id
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename=${name}.tar`,
  })
  const files = cart.order.fileids.flatMap(({ id, path }) => {
    const file = world.files.find((one) => isDeepStrictEqual(one.id, id))
    return file ? [{ path: path.replace(/^\/+/, ''), content: file.content }] : []
  })
  let sent = 0
  for await (const chunk of cartTar(cart.faults.topFolder ?? name, files, cart.faults)) {
    const left = (cart.faults.cutAfter ?? Number.POSITIVE_INFINITY) - sent
    sent += chunk.length
    await write(response, chunk.subarray(0, left))
    if (sent < (cart.faults.cutAfter ?? Number.POSITIVE_INFINITY)) continue
    if (cart.faults.cutBy === 'hang') return
    if (cart.faults.cutBy === 'reset') {
      // What was written before must leave first.
      await sleep(50)
      return void response.destroy()
    }
    break
  }
  response.end()
}

function remove(
  cart: Cart,
  _world: World,
  _request: IncomingMessage,
  response: ServerResponse,
): void {
  cart.deleted = true
  json(response, 200, { message: 'Cart Deleted Successfully' })
}

/** True when the fault has dealt with the call. */
function misbehaves(faults: CartFaults, method: string, response: ServerResponse): boolean {
  if (faults.hangsOn === method) return true
  if (faults.resetsOn === method) {
    response.destroy()
    return true
  }
  const status = faults.answers?.[method]
  if (status === undefined) return false
  response.writeHead(status, { location: 'https://elsewhere.example/' }).end('something is wrong')
  return true
}

function notFound(id: string, response: ServerResponse): void {
  json(response, 404, { message: `The cart ${id} does not exist or has already been deleted` })
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  if (response.destroyed || response.write(chunk)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

function basic({ user, password }: { user: string; password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** UTF-8 bytes, one for each letter, as Python's servers put them on the wire. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}
