/** What a member of a cart's tar is to us, by its header alone. Pure: no name of a tar ever becomes a path on the disk. */
import type { Header } from 'tar-stream'
import { CartMemberError } from './errors.ts'
import { plainPath } from './wanted-files.ts'

/** The part of the header that counts; tar-stream gives null for a type that it does not know. */
export type MemberHeader = Pick<Header, 'name' | 'size'> & { readonly type: Header['type'] | null }

export interface CartMembers {
  /**
   * The path below the cart's one top folder (`data`, or the cart's id), undefined for a folder. Throws
   * `CartMemberError` for anything that is no plain file or folder, and for a name that leaves that folder.
   */
  pathOf(header: MemberHeader): string | undefined
}

export function cartMembers(): CartMembers {
  let top: string | undefined
  return {
    pathOf(header) {
      const refuse = (reason: string): never => {
        throw new CartMemberError(header.name, reason)
      }
      const reason = whyNot(header)
      if (reason !== undefined) refuse(reason)
      const isFolder = header.type === 'directory'
      const [first = '', ...rest] = plainPath(header.name).split('/')
      if (first === '' && isFolder) return undefined
      top ??= first
      if (first !== top) refuse(`is not below ${JSON.stringify(top)}, where the cart began`)
      if (isFolder) return undefined
      return rest.length === 0 ? refuse('lies beside the top folder') : rest.join('/')
    },
  }
}

function whyNot({ name, type }: MemberHeader): string | undefined {
  if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory') {
    return `is a ${type ?? 'thing of unknown kind'}, and only files and folders are unpacked`
  }
  if (name.startsWith('/')) return 'is absolute'
  if (name.includes('\0')) return 'contains a NUL'
  return name.split('/').includes('..') ? 'contains ".."' : undefined
}
