/**
 * Calls of one of Pacifica's services over got: small ones whose answers are read whole but never beyond a limit, and
 * the streams of a download or upload. No redirects, no retries behind the caller's back, no connection kept.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { addAbortSignal, type Readable } from 'node:stream'
import type { ExtendOptions, Got, PlainResponse, Request } from 'got'
import { ServiceUnreachableError } from './errors.ts'

/** How one of Pacifica's services is asked: who asks, and what is sent along. */
export interface ServiceOptions {
  /** Basic authentication; the URL's own user and password unless given. */
  readonly user?: string | undefined
  /** Goes with `user`; the URL's own unless given. */
  readonly password?: string | undefined
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The beginning of the body, cut at 1 MiB. */
  readonly text: string
}

export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly url: URL
  readonly signal: AbortSignal
  readonly json?: unknown
  readonly upload?: Upload
}

/** Sent as `application/octet-stream`. */
export interface Upload {
  /** A chunk may be used again when the next is asked for. Whatever this throws, the call rejects with. */
  readonly chunks: AsyncIterable<Buffer>
  /** The exact length of all chunks, in bytes. */
  readonly size: number
}

export interface Service {
  /** Without user and password: may be shown. */
  readonly url: URL
  /** Rejects with `ServiceUnreachableError`, or with the signal's reason. */
  ask(call: Call): Promise<Answer>
  /** Like `ask`, but the body of a 200 is left to be read. It fails with the signal's reason when that aborts. */
  open(call: Call): Promise<Answer & { readonly body: Readable | undefined }>
}

const MOST_TEXT = 1024 * 1024
/** A small call without an answer for so long has failed. */
const ASK_MS = 30_000

export function connectService(url: URL, options: ServiceOptions = {}): Service {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  const client = clientFor({
    username: options.user ?? decoded(url.username),
    password: options.password ?? decoded(url.password),
    headers: { 'user-agent': 'pacifica', ...options.headers },
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    agent: { http: new HttpAgent(), https: new HttpsAgent() },
  })
  return {
    url: bare,
    async ask(call) {
      // An upload takes as long as it takes; its caller watches the bytes.
      if (call.upload) return await exchange(client, call, call.signal)
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(new Error(`none in ${ASK_MS} ms`)), ASK_MS)
      const signal = AbortSignal.any([call.signal, late.signal])
      return await exchange(client, { ...call, signal }, call.signal).finally(() =>
        clearTimeout(timer),
      )
    },
    open: (call) => exchange(client, call, call.signal, true),
  }
}

/** Loaded with the first call: a handler's process, which leaves its transfers to others, never makes one. */
function clientFor(options: ExtendOptions): () => Promise<Got> {
  let client: Promise<Got> | undefined
  return () => {
    client ??= import('got').then(({ got }) => got.extend(options))
    return client
  }
}

/** A URL may have a `%` that begins nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function exchange(
  client: () => Promise<Got>,
  call: Call,
  asked: AbortSignal,
  keepBody = false,
): Promise<Answer & { readonly body: Readable | undefined }> {
  const connected = await client()
  asked.throwIfAborted()
  const request = start(connected, call)
  const sending = call.upload ? send(request, call.upload) : undefined
  let kept = false
  try {
    const { statusCode: status, headers } = await responseOf(request)
    kept = keepBody && status === 200
    if (kept) {
      return { status, headers, text: '', body: addAbortSignal(call.signal, request) }
    }
    return { status, headers, text: await readText(request), body: undefined }
  } catch (cause) {
    request.destroy()
    const unreadable = await sending
    asked.throwIfAborted()
    throw unreadable ?? new ServiceUnreachableError(nameOf(call), cause)
  } finally {
    // Until then it listens to the signal; an answer that came early ends the sending, too.
    if (!kept) request.destroy()
    await sending
  }
}

function start(client: Got, { method, url, signal, json, upload }: Call): Request {
  const common = { method, signal, isStream: true } as const
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(upload?.size),
  }
  const body = json === undefined ? {} : { json }
  const request = client.stream(url, upload ? { ...common, headers } : { ...common, ...body })
  // Whoever waits for the answer hears of it; an error after that one must not end the process.
  request.on('error', () => undefined)
  return request
}

/** Resolves with what the chunks threw, if they did; never rejects. */
async function send(request: Request, { chunks }: Upload): Promise<unknown> {
  try {
    for await (const chunk of chunks) {
      if (!(await flushed(request, chunk))) return undefined
    }
    request.end()
    return undefined
  } catch (error) {
    request.destroy()
    return error
  }
}

/** False when the request is gone. */
function flushed(request: Request, chunk: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = () => resolve(false)
    if (request.destroyed) return gone()
    request.once('close', gone)
    request.write(chunk, (error) => {
      request.off('close', gone)
      resolve(!error)
    })
  })
}

function responseOf(request: Request): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
    request.once('close', () => reject(new Error('the connection was closed')))
  })
}

async function readText(request: Request): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= MOST_TEXT) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, MOST_TEXT)
}

/** How a call is named in errors. */
export function nameOf({ method, url }: Pick<Call, 'method' | 'url'>): string {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return `${method} ${bare.href}`
}

/** `url` with `path` below its own, and without a query. */
export function below(url: URL, path: string): URL {
  const target = new URL(url)
  target.search = ''
  target.hash = ''
  target.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
  return target
}
