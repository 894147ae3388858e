export {
  AmbiguousUserError,
  type Caller,
  createIdentify,
  type Identify,
  type IdentifyOptions,
  type IncomingRequest,
  NoUserError,
  UnknownTokenError,
  UntrustedUserHeaderError,
  UserTooLongError,
} from './identify.ts'
export { createReceiveGuard, ReceiveAuthError, type ReceiveGuard } from './receive-guard.ts'
