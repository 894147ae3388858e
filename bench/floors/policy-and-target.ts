/**
 * Policy and the subscribers' targets for the pipeline's benchmarks, in a process of its own and as cheap as they can be:
 * prints its port, says yes to every question, answers every delivery at once (`/hang`: never), and counts deliveries.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

let [seen, wanted, first, last] = [0, Number.POSITIVE_INFINITY, 0, 0]
let waiting: ServerResponse | undefined

const server = createServer((request, response) => {
  const { url = '' } = request
  if (url === '/hang') return
  if (url.startsWith('/events/')) request.resume().on('end', () => response.end())
  else if (url.startsWith('/target/')) request.resume().on('end', () => deliver(response))
  else request.resume().on('end', () => control(url, response))
})

function deliver(response: ServerResponse): void {
  response.end('ok')
  last = performance.timeOrigin + performance.now()
  if (seen === 0) first = last
  seen += 1
  if (seen >= wanted) tell()
}

/** `/begin/200`: forgets what came and counts anew. `/end`: answers when so many have come. */
function control(url: string, response: ServerResponse): void {
  if (url.startsWith('/begin/')) {
    seen = 0
    wanted = Number(url.slice('/begin/'.length))
    response.end()
  } else {
    waiting = response
    if (seen >= wanted) tell()
  }
}

function tell(): void {
  waiting?.end(JSON.stringify({ first, last, seen }))
  waiting = undefined
}

// All of 127.0.0.0/8, so that targets may lie on several hosts.
server.listen(0, '0.0.0.0', () => console.log((server.address() as AddressInfo).port))
