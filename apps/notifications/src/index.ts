export { errorTable } from './api.ts'
export { type Notifications, type NotificationsNeeds, startNotifications } from './compose.ts'
export {
  type NotificationsConfig,
  notificationsSettings,
  ROLES,
  readNotificationsConfig,
} from './config.ts'
export { type FoundSources, findSources, type NamedFiles } from './config-sources.ts'
export { VERSION } from './version.ts'
