import type { Event } from '../events/event.ts'
import { entriesFor, entryReader, type Scalar } from './entries.ts'
import { EventFieldError } from './errors.ts'

/** What may be known of a file. Times are free text; `size` is in bytes. */
export interface FileAttributes {
  readonly _id?: Scalar | undefined
  readonly name?: string | undefined
  readonly subdir?: string | undefined
  readonly size?: number | undefined
  readonly hashsum?: string | undefined
  readonly hashtype?: string | undefined
  readonly mimetype?: string | undefined
  readonly encoding?: string | undefined
  readonly ctime?: string | undefined
  readonly mtime?: string | undefined
  readonly suspense_date?: string | undefined
}

/** A file that an event speaks of. */
export class File implements FileAttributes {
  readonly _id: Scalar | undefined
  readonly name: string | undefined
  readonly subdir: string | undefined
  readonly size: number | undefined
  readonly hashsum: string | undefined
  readonly hashtype: string | undefined
  readonly mimetype: string | undefined
  readonly encoding: string | undefined
  readonly ctime: string | undefined
  readonly mtime: string | undefined
  readonly suspense_date: string | undefined

  constructor(attributes: FileAttributes) {
    this._id = attributes._id
    this.name = attributes.name
    this.subdir = attributes.subdir
    this.size = attributes.size
    this.hashsum = attributes.hashsum
    this.hashtype = attributes.hashtype
    this.mimetype = attributes.mimetype
    this.encoding = attributes.encoding
    this.ctime = attributes.ctime
    this.mtime = attributes.mtime
    this.suspense_date = attributes.suspense_date
  }

  /** The event's files, in its order; none when its `data` has none. Throws `EventFieldError` for a field of the wrong kind. */
  static fromEvent(event: Event): File[] {
    return entriesFor(event, 'Files').map((entry) => {
      const read = entryReader(event, 'Files', entry)
      return new File({
        _id: read.scalar('_id'),
        name: read.text('name'),
        subdir: read.text('subdir'),
        size: read.number('size'),
        hashsum: read.text('hashsum'),
        hashtype: read.text('hashtype'),
        mimetype: read.text('mimetype'),
        encoding: read.text('encoding'),
        ctime: read.text('ctime'),
        mtime: read.text('mtime'),
        suspense_date: read.text('suspense_date'),
      })
    })
  }

  /**
   * `<subdir>/<name>` with `/` between, without one in front (Cartd drops it too). It is the sender's word: check it
   * with `Workspace.inside` before it touches a disk. Throws `EventFieldError` without a name.
   */
  get path(): string {
    if (!this.name) throw new EventFieldError('Files: "name"', 'is missing', undefined)
    const subdir = (this.subdir ?? '').replace(/^\/+|\/+$/g, '')
    return subdir === '' ? this.name : `${subdir}/${this.name}`
  }
}
