/** Takes a port, tells it, and keeps it: run by free-port.test.ts as a process of its own. */
import { freePort } from './free-port.ts'

process.stdout.write(`${await freePort()}\n`)
setInterval(() => undefined, 60_000)
