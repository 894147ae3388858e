import type { Socket } from 'node:net'
import { errorBody, type Fault, statusLine } from './error-reply.ts'

/** Answers what is no HTTP request at all: there is no route and no reply, only the socket. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  version: string,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (!socket.writable) {
    socket.destroy(error)
    return
  }
  const fault = faultOf(error.code)
  const body = JSON.stringify(errorBody(fault, version))
  const head = [
    `HTTP/1.1 ${statusLine(fault.status)}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function faultOf(code: string | undefined): Fault {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, message: 'the request did not arrive in time' }
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, message: 'the headers are too large' }
    default:
      return { status: 400, message: 'this is no HTTP request' }
  }
}
