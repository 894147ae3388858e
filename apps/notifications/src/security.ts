/** Who may ask what, for the description of the API; `identity/` is what decides. */
import { type ApiSecurity, NOBODY } from '@pacifica/platform'
import type { NotificationsConfig } from './config.ts'

export function notificationsSecurity(
  config: Pick<NotificationsConfig, 'userHeader' | 'defaultUser' | 'receiveAuth'>,
): ApiSecurity {
  const { userHeader, defaultUser, receiveAuth } = config
  const people = ['user', 'token', ...(defaultUser === undefined ? [] : [NOBODY])]
  const isOpen = receiveAuth === undefined || receiveAuth === 'off'
  const senders = ['receiveBasic', 'receiveToken', ...(isOpen ? [NOBODY] : [])]
  return {
    schemes: {
      user: {
        ...{ type: 'apiKey', in: 'header', name: userHeader },
        description: 'The user, as a proxy in TRUSTED_PROXIES names them.',
      },
      token: {
        ...{ type: 'http', scheme: 'bearer' },
        description: 'A token of API_TOKENS, which stands for its user.',
      },
      receiveBasic: {
        ...{ type: 'http', scheme: 'basic' },
        description: 'User and password of RECEIVE_AUTH: for those who post events.',
      },
      receiveToken: {
        ...{ type: 'http', scheme: 'bearer' },
        description: 'A token of RECEIVE_AUTH: for those who post events.',
      },
    },
    of: (path) => (path === '/receive' ? senders : people),
  }
}
