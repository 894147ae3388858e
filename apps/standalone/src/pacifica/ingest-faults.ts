/** How a simulated Ingest may fail, and the steps at which it may. */

/** Ingest's tasks in their order. */
export const STEPS = [
  'UPLOADING',
  'open tar',
  'load metadata',
  'Policy Validation',
  'ingest files',
  'ingest metadata',
] as const
export type Step = (typeof STEPS)[number]

/** Each switch is one way to fail; none is on unless set. */
export interface IngestFaults {
  /** The job fails there, with this exception or a traceback that fits. */
  readonly failsAt?: Step
  readonly exception?: string
  /** Each step takes so long; the job never leaves a step; these keys of its state are others. */
  readonly stepMs?: number
  readonly stuckAt?: Step
  readonly odd?: Readonly<Record<string, unknown>>
  /** The upload gets this status, its bytes unread. */
  readonly refuses?: number
  /** Waits so long before each chunk is read. */
  readonly readsSlowlyMs?: number
  /** The connection is reset, or nothing more is read, after so many bytes of the upload. */
  readonly resetsAfter?: number
  readonly hangsAfter?: number
  /** The upload is whole, and is never answered; or it is answered by this text. */
  readonly hangsAfterUpload?: boolean
  readonly saysInstead?: string
  /** The job's number is unknown afterwards. */
  readonly forgetsJob?: boolean
  /** Whether a question for the state gets 503, or a reset, so long after the upload; or always this text. */
  readonly stateFails?: (ms: number) => boolean
  readonly stateResets?: (ms: number) => boolean
  readonly stateSays?: string
}

/** As Python prints what went wrong at a step. */
export const TRACEBACK: Readonly<Record<Step, string>> = {
  UPLOADING: traceback('OSError: [Errno 28] No space left on device'),
  'open tar': traceback('tarfile.ReadError: not a gzip file'),
  'load metadata': traceback(
    'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)',
  ),
  'Policy Validation': traceback(
    "pacifica.ingest.orm.PolicyError: [{'status': 'error', 'message': 'not allowed'}]",
  ),
  'ingest files': traceback(
    'pacifica.ingest.tarutils.HashValidationException: File foo.txt hash failed',
  ),
  'ingest metadata': traceback(
    'requests.exceptions.HTTPError: 500 Server Error: Internal Server Error for url: /ingest',
  ),
}

export function traceback(lastLine: string): string {
  return [
    'Traceback (most recent call last):',
    '  File "/usr/lib/python3/site-packages/pacifica/ingest/tasks.py", line 112, in ingest_files',
    '    ingest_obj.ingest()',
    lastLine,
    '',
  ].join('\n')
}
