/**
 * Calls of one of Pacifica's services over got: small ones whose answers are read whole but never beyond a limit, and
 * the streams of a download or upload. No redirects, no retries behind the caller's back, no connection kept.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { addAbortSignal, type Readable } from 'node:stream'
import { type Got, got, type PlainResponse, type Request } from 'got'
import { ServiceUnreachableError } from './errors.ts'

export interface ServiceOptions {
  /** Basic authentication; the URL's own user and password unless given. */
  readonly user?: string | undefined
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
  /** Sent as `application/octet-stream`; `size` is its exact length in bytes. */
  readonly upload?: { readonly bytes: Readable; readonly size: number }
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
  const client = got.extend({
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

/** A URL may have a `%` that begins nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function exchange(
  client: Got,
  call: Call,
  asked: AbortSignal,
  keepBody = false,
): Promise<Answer & { readonly body: Readable | undefined }> {
  asked.throwIfAborted()
  const request = start(client, call)
  try {
    const { statusCode: status, headers } = await responseOf(request)
    if (keepBody && status === 200) {
      return { status, headers, text: '', body: addAbortSignal(call.signal, request) }
    }
    const text = await readText(request)
    // It listens to the signal until then.
    request.destroy()
    return { status, headers, text, body: undefined }
  } catch (cause) {
    request.destroy()
    asked.throwIfAborted()
    throw new ServiceUnreachableError(nameOf(call), cause)
  }
}

function start(client: Got, { method, url, signal, json, upload }: Call): Request {
  const common = { method, signal, isStream: true } as const
  const request = upload
    ? client.stream(url, {
        ...common,
        body: upload.bytes,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(upload.size),
        },
      })
    : client.stream(url, json === undefined ? common : { ...common, json })
  // Whoever waits for the answer hears of it; an error after that one must not end the process.
  request.on('error', () => undefined)
  return request
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
