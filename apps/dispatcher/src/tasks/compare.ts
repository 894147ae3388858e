/** How a dry run's bundles differ from the ones before. Pure. */
import type { Manifest, Member } from './manifest.ts'

/** Of each kind so many members are listed; the numbers are of all. */
export const MOST_LISTED = 1_000

/** What an upload made before, as far as it is known. */
export interface EarlierUpload {
  readonly number: number
  /** Null: made by a version that kept none, or by an author's own uploader. */
  readonly manifest: Manifest | null
  readonly bundle: string | null
  readonly jobId: number | null
}

export interface MadeUpload {
  readonly number: number
  readonly manifest: Manifest
  /** Where the dry run's bundle lies. */
  readonly bundle: string | null
}

export interface ChangedMember {
  readonly path: string
  readonly before: Pick<Member, 'size' | 'sha1'>
  readonly now: Pick<Member, 'size' | 'sha1'>
}

type Counted = Pick<Manifest, 'files' | 'bytes'>

export interface ComparedUpload {
  readonly number: number
  readonly before:
    | (Counted & { readonly bundle: string | null; readonly jobId: number | null })
    | null
  readonly now: (Counted & { readonly bundle: string | null }) | null
  /** Null: nothing is known of what was before. */
  readonly same: boolean | null
  /** How many members; null where there are too many to compare each. */
  readonly counts: Record<'added' | 'removed' | 'changed' | 'unchanged', number> | null
  readonly added: Member[]
  readonly removed: Member[]
  readonly changed: ChangedMember[]
}

export interface Comparison {
  /** The task whose bundles it was held against; null: no task of this event has uploaded anything. */
  readonly comparedWith: string | null
  /** Null: for at least one upload there is nothing to compare with. */
  readonly same: boolean | null
  readonly uploads: ComparedUpload[]
}

export function compare(
  comparedWith: string | null,
  before: readonly EarlierUpload[],
  now: readonly MadeUpload[],
): Comparison {
  const numbers = new Set([...before, ...now].map(({ number }) => number))
  const uploads = [...numbers]
    .sort((a, b) => a - b)
    .map((number) =>
      compareUpload(
        number,
        before.find((upload) => upload.number === number),
        now.find((upload) => upload.number === number),
      ),
    )
  return { comparedWith, same: comparedWith === null ? null : allSame(uploads), uploads }
}

function allSame(uploads: readonly ComparedUpload[]): boolean | null {
  if (uploads.some(({ same }) => same === false)) return false
  return uploads.some(({ same }) => same === null) ? null : true
}

const NOTHING: Manifest = { files: 0, bytes: 0, digest: '', members: [] }

function compareUpload(
  number: number,
  before: EarlierUpload | undefined,
  now: MadeUpload | undefined,
): ComparedUpload {
  const known = before === undefined ? NOTHING : before.manifest
  const made = now?.manifest ?? NOTHING
  const lists = compareMembers(known?.members ?? null, made.members)
  return {
    number,
    before:
      before === undefined
        ? null
        : { ...countsOf(known ?? NOTHING), bundle: before.bundle, jobId: before.jobId },
    now: now === undefined ? null : { ...countsOf(made), bundle: now.bundle },
    same: known === null ? null : known.digest === made.digest,
    counts: lists && {
      added: lists.added.length,
      removed: lists.removed.length,
      changed: lists.changed.length,
      unchanged: made.files - lists.added.length - lists.changed.length,
    },
    added: lists?.added.slice(0, MOST_LISTED) ?? [],
    removed: lists?.removed.slice(0, MOST_LISTED) ?? [],
    changed: lists?.changed.slice(0, MOST_LISTED) ?? [],
  }
}

function countsOf({ files, bytes }: Manifest): Counted {
  return { files, bytes }
}

function compareMembers(before: readonly Member[] | null, now: readonly Member[] | null) {
  if (before === null || now === null) return null
  const [old, made] = [byPath(before), byPath(now)]
  const changed: ChangedMember[] = []
  for (const { path, ...is } of now) {
    const was = old.get(path)
    if (was === undefined || (was.sha1 === is.sha1 && was.size === is.size)) continue
    changed.push({ path, before: { size: was.size, sha1: was.sha1 }, now: is })
  }
  return {
    added: now.filter(({ path }) => !old.has(path)),
    removed: before.filter(({ path }) => !made.has(path)),
    changed,
  }
}

function byPath(members: readonly Member[]): Map<string, Member> {
  return new Map(members.map((member) => [member.path, member]))
}
