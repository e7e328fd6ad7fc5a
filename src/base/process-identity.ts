/** Who this process is: what an owner file says, so that a second process can name the first and tell whether its lock means anything. */
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** The network namespace: a lock says something only inside one. Empty where the system has none. */
  readonly namespace: string
}

export function systemProcess(): ProcessIdentity {
  return { pid: process.pid, host: hostname(), namespace: networkNamespace() }
}

function networkNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/net')
  } catch {
    // Only Linux has it.
    return ''
  }
}
