/** The one body of every error of both services; the first four keys are those of the Python services. */
import { STATUS_CODES } from 'node:http'
import { type Static, Type } from 'typebox'

/** For `response` in route schemas: `{ 200: Subscription, 400: errorReply, 403: errorReply }`. */
export const errorReply = Type.Object(
  {
    status: Type.String({ description: 'for example "403 Forbidden"' }),
    message: Type.String({ description: 'what is wrong and what to do' }),
    traceback: Type.Literal(''),
    version: Type.String({ description: 'the version of the service' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ description: 'a JSON pointer into the body, or query/…, params/…' }),
          message: Type.String(),
          hint: Type.Optional(Type.String({ description: 'what was probably meant' })),
          offset: Type.Optional(
            Type.Integer({ description: 'where in the text at `path`, in UTF-16 units from 0' }),
          ),
        }),
      ),
    ),
    code: Type.Optional(Type.String({ description: 'what kind of error, for programs' })),
  },
  { title: 'Error', additionalProperties: true },
)

export type ErrorReply = Static<typeof errorReply>
export type ErrorPlace = NonNullable<ErrorReply['errors']>[number]

/** Error code → HTTP status, for every error that a client of this app may be told about. */
export type ErrorTable = Readonly<Record<string, number>>

/** What a reply needs to know of an error. */
export interface Fault {
  readonly status: number
  readonly message: string
  readonly errors?: readonly ErrorPlace[]
  readonly code?: string
  /** Beside the body: `www-authenticate`, `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** `404 Not Found` */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Error'}`
}

export function errorBody(fault: Fault, version: string): ErrorReply {
  return {
    status: statusLine(fault.status),
    message: fault.message,
    traceback: '',
    version,
    ...(fault.errors === undefined ? {} : { errors: [...fault.errors] }),
    ...(fault.code === undefined ? {} : { code: fault.code }),
  }
}
