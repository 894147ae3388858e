/** Asks Pacifica's Metadata which transactions carry a key-value. */
import { isJsonObject } from '../events/json.ts'
import { ServiceAnswerError } from '../transfer/errors.ts'
import {
  below,
  connectService,
  nameOf,
  type Service,
  type ServiceOptions,
} from '../transfer/service.ts'

const DAY_MS = 86_400_000
/** Metadata's times have no zone, and may be anybody's: what is looked for is never left out for that. */
const MARGIN_MS = 2 * DAY_MS

/** Asks Pacifica's Metadata which transactions carry a key-value: whether a result has come in already. */
export class MetadataClient {
  readonly #service: Service

  /**
   * @param url Metadata's, such as `http://metadata:8121`
   * @param options user and password, headers
   */
  constructor(url: URL | string, options: ServiceOptions = {}) {
    this.#service = connectService(new URL(url), options)
  }

  /**
   * The numbers of the transactions with this key and value, the lowest first. Only what came in after `since`, as far
   * as that can be told: Metadata answers with all values of the key.
   *
   * Throws `ServiceUnreachableError`, `ServiceAnswerError`, or the signal's reason.
   * @param keyValue what is looked for
   * @param options since when, and what calls the question off
   */
  async transactionsWith(
    { key, value }: { readonly key: string; readonly value: string },
    { since, signal }: { readonly since: Date; readonly signal: AbortSignal },
  ): Promise<number[]> {
    const url = below(this.#service.url, `tkvinfo/values_for_key/${encodeURIComponent(key)}`)
    url.searchParams.set('start_time', plain(since.getTime() - MARGIN_MS))
    url.searchParams.set('end_time', plain(Date.now() + MARGIN_MS))
    const call = { method: 'GET', url, signal } as const
    const { status, text } = await this.#service.ask(call)
    const values = status === 200 ? readObject(text) : undefined
    if (values !== undefined) return numbersIn(values[value])
    const advice = ', which is no list of values; is this Metadata?'
    if (status === 200) throw new ServiceAnswerError(nameOf(call), status, text, advice)
    throw new ServiceAnswerError(nameOf(call), status, text)
  }
}

/** As Metadata reads it: without a zone. */
function plain(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19)
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function numbersIn(value: unknown): number[] {
  const numbers = [value].flat().map(Number).filter(Number.isSafeInteger)
  return numbers.sort((a, b) => a - b)
}
