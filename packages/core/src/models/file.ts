import type { Event } from '../events/event.ts'
import { entriesFor, entryReader, type Scalar } from './entries.ts'
import { EventFieldError } from './errors.ts'

/** What may be known of a file. Times are free text; `size` is in bytes. */
export interface FileAttributes {
  /** The file's id at Metadata, by which Cartd is asked for it. */
  readonly _id?: Scalar | undefined
  /** Without folders. */
  readonly name?: string | undefined
  /** The folder, with `/` between; with or without one at its ends. Empty or left out: none. */
  readonly subdir?: string | undefined
  /** In bytes. */
  readonly size?: number | undefined
  /** Of the content, hex. */
  readonly hashsum?: string | undefined
  /** Which hash that is: `sha1`; any that Node.js knows can be checked. */
  readonly hashtype?: string | undefined
  /** As the uploader has guessed it from the name. */
  readonly mimetype?: string | undefined
  /** Such as `UTF-8`; mostly left out. */
  readonly encoding?: string | undefined
  /** When it was made: free text, such as `2018-08-30T15:19:40` or `Tue Nov 29 14:09:05 PST 2016`. */
  readonly ctime?: string | undefined
  /** When it was changed last: free text. */
  readonly mtime?: string | undefined
  /** When it may be published: free text. */
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

  /** @param attributes what is known of it */
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

  /**
   * The event's files, in its order; none when its `data` has none. Throws `EventFieldError` for a field of the wrong kind.
   * @param event such as Metadata sends when a transaction has been ingested
   */
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
