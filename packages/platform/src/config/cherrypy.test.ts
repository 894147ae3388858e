import { expect, test } from 'vitest'
import { parseCherryPy } from './cherrypy.ts'

const DOCUMENTED = `[global]
log.screen: True
log.access_file: 'access.log'
log.error_file: 'error.log'
server.socket_host: '0.0.0.0'
server.socket_port: 8070
engine.autoreload.on: False

[/]
request.dispatch: cherrypy.dispatch.MethodDispatcher()
tools.response_headers.on: True
tools.response_headers.headers: [('Content-Type', 'application/json')]
`

test('address and port are taken, the rest is named and passed over', () => {
  const { ini, ignored } = parseCherryPy(DOCUMENTED, 'server.conf')
  expect(ini.sections).toEqual({
    global: { 'server.socket_host': '0.0.0.0', 'server.socket_port': '8070' },
  })
  expect(ini.lines?.['global']?.['server.socket_host']).toBe(5)
  expect(ignored).toContain('[global] log.screen')
  expect(ignored).toContain('[/] request.dispatch')
})

test('what would be missed is refused, with its line', () => {
  const text = `[global]
server.ssl_certificate: 'cert.pem'
Server.Socket_Port: 1
server.thread_pool: 30
[/]
server.socket_port: 9000
`
  expect(() => parseCherryPy(text, 'server.conf')).toThrow(
    [
      '[global] server.ssl_certificate, line 2 of server.conf: TLS is left to a proxy in front of the service: set the proxy up, and remove the line',
      '[global] Server.Socket_Port, line 3 of server.conf: no setting of CherryPy that means anything here',
      '[/] server.socket_port, line 6 of server.conf: belongs into [global]',
    ].join('\n'),
  )
})
