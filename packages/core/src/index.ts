/**
 * What authors of dispatchers import.
 * @packageDocumentation
 */
export {
  BundleEntryError,
  BundleFileChangedError,
  BundleThreadEndedError,
  WorkspaceEscapeError,
} from './bundle/errors.ts'
export { type BundleFile, listFiles } from './bundle/list-files.ts'
export {
  type BundleSubject,
  type DescribedFile,
  metadataText,
  mimetypeOf,
} from './bundle/metadata.ts'
export { bundleSize, packBundle } from './bundle/pack.ts'
export { Workspace } from './bundle/workspace.ts'
export {
  type CartNews,
  DownloaderRunner,
  type DownloadOptions,
  type Opener,
} from './download/downloader-runner.ts'
export {
  CartBrokenError,
  CartFailedError,
  CartMemberError,
  CartUnknownError,
  DownloadTooLargeError,
  FileNameTakenError,
  FilesAlteredError,
  FilesExtraError,
  FilesMissingError,
  FilesTruncatedError,
  FilesUnavailableError,
  type UnavailableCode,
  type UnavailableFile,
} from './download/errors.ts'
export { LocalDownloaderRunner } from './download/local-downloader-runner.ts'
export {
  type RemoteDownloaderOptions,
  RemoteDownloaderRunner,
} from './download/remote-downloader-runner.ts'
export { type AmqpEvents, type AmqpMessage, eventsFromAmqp } from './events/amqp.ts'
export { DISPATCHER_NAME_PATTERN } from './events/dispatcher-name.ts'
export { EventFormatError, UnsupportedMediaTypeError } from './events/errors.ts'
export { Event, MAX_EVENT_DEPTH, type Projection } from './events/event.ts'
export { eventsFromHttp, type HttpHeaders } from './events/http.ts'
export type { JsonObject } from './events/json.ts'
export type { Form as EventForm } from './events/modes.ts'
export { readTaskEvent, type TaskEvent, taskEventId, writeTaskEvent } from './events/task-event.ts'
export { CommandHandler } from './handlers/command/command-handler.ts'
export {
  type CommandEnd,
  CommandFailedError,
  CommandNotStartedError,
  CommandOptionsError,
  CommandResultError,
  CommandTimeoutError,
  CommandTooLargeError,
} from './handlers/command/errors.ts'
export { sizeOf as folderSize } from './handlers/command/folder-size.ts'
export type { Command, CommandOptions } from './handlers/command/options.ts'
export {
  type Dispatcher,
  type DispatcherDefinition,
  DispatcherDefinitionError,
  defineDispatcher,
  isDispatcher,
  type RouteDefinition,
} from './handlers/define-dispatcher.ts'
export { EventHandler } from './handlers/event-handler.ts'
export {
  ExceptionEventHandler,
  ExceptionEventHandlerError,
} from './handlers/exception-event-handler.ts'
export { NoopEventHandler } from './handlers/noop-event-handler.ts'
export { RetryableError } from './handlers/retryable-error.ts'
export type { Progress, TaskContext, TaskLog } from './handlers/task-context.ts'
export {
  type InputFile,
  type Said,
  type Transform,
  TransformHandler,
  type TransformInput,
  type TransformOptions,
  type TransformResult,
} from './handlers/transform-handler.ts'
export { JoinKeyError } from './joins/errors.ts'
export {
  defineJoin,
  type Join,
  type JoinDefinition,
  type JoinSlot,
  type SlotDefinition,
} from './joins/join.ts'
export { type JoinedEvents, JoinHandler } from './joins/join-handler.ts'
export {
  type JoinInput,
  type JoinTransform,
  JoinTransformHandler,
  type JoinTransformInput,
  type JoinTransformOptions,
} from './joins/join-transform-handler.ts'
export { type JoinPlace, MAX_JOIN_KEY, placeOf } from './joins/place.ts'
export { MetadataClient } from './metadata/metadata-client.ts'
export type { Scalar } from './models/entries.ts'
export {
  EventError,
  EventFieldError,
  TransactionDuplicateAttributeError,
} from './models/errors.ts'
export { File, type FileAttributes } from './models/file.ts'
export { Transaction, type TransactionAttributes } from './models/transaction.ts'
export {
  TransactionKeyValue,
  type TransactionKeyValueAttributes,
} from './models/transaction-key-value.ts'
export { RouteNotFoundRouterError, RouterError } from './routing/errors.ts'
export { Route, type RouteOptions } from './routing/route.ts'
export { Router } from './routing/router.ts'
export {
  DEFAULT_TIMEOUT_MS,
  type TransferOptions,
  type TransferProgress,
  TransferTimeoutError,
} from './transfer/deadline.ts'
export { changedNothing, ServiceAnswerError, ServiceUnreachableError } from './transfer/errors.ts'
export type { Pauses } from './transfer/pause.ts'
export type { ServiceOptions } from './transfer/service.ts'
export { IngestFailedError, IngestJobUnknownError } from './upload/errors.ts'
export { type LocalUploaderOptions, LocalUploaderRunner } from './upload/local-uploader-runner.ts'
export {
  type RemoteUploaderOptions,
  RemoteUploaderRunner,
} from './upload/remote-uploader-runner.ts'
export { UploaderRunner, type UploadOptions, type UploadResult } from './upload/uploader-runner.ts'
