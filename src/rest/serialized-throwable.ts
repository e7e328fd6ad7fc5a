/**
 * A throwable as Java serializes Flink's `SerializedThrowable`: the only part of a failure that Flink's command line reads.
 * Written by hand after the Java Object Serialization Specification; classes and fields are Flink's.
 */
import { Buffer } from 'node:buffer'

/** What a JVM would have thrown. */
export interface JavaThrowable {
  /** `org.apache.flink.util.FlinkException` */
  readonly className: string
  readonly message: string
  /** With all its causes, as Java prints it. Left out: one line for each. */
  readonly stackTrace?: string | undefined
  readonly cause?: JavaThrowable | undefined
}

/** A chain of causes ends here: Java reads nested objects by recursion. */
const MOST_CAUSES = 32

/** The bytes of the stream, its header included. */
export function serializedThrowable(throwable: JavaThrowable): Uint8Array {
  const stream = new ObjectStream()
  stream.throwable(throwable, MOST_CAUSES)
  return stream.bytes()
}

/** As Java prints a throwable: itself, then each of its causes behind `Caused by: `. Ends with a line break. */
export function stackTraceOf(throwable: JavaThrowable): string {
  if (throwable.stackTrace !== undefined) return throwable.stackTrace
  const lines: string[] = []
  for (let at: JavaThrowable | undefined = throwable; at !== undefined && lines.length <= MOST_CAUSES; at = at.cause)
    lines.push(`${lines.length === 0 ? '' : 'Caused by: '}${at.className}: ${at.message}\n`)
  return lines.join('')
}

const HEADER = Uint8Array.of(0xac, 0xed, 0, 5)
const NULL = 0x70
const REFERENCE = 0x71
const CLASS = 0x72
const OBJECT = 0x73
const TEXT = 0x74
const END_OF_BLOCK = 0x78
const LONG_TEXT = 0x7c
/** A class whose objects Java can read, without and with data of its own behind the fields. */
const SERIALIZABLE = 2
const SERIALIZABLE_WITH_DATA = 3

const STRING = 'Ljava/lang/String;'

class ObjectStream {
  readonly #chunks: Uint8Array[] = [HEADER]
  /** What the stream holds already is referred to, by its place in the order in which it came. */
  readonly #handles = new Map<string, number>()
  #nextHandle = 0

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }

  throwable(throwable: JavaThrowable, causesLeft: number): void {
    const { className, message, cause } = throwable
    this.#put(OBJECT)
    this.#classes()
    this.#nextHandle++
    // Fields of Throwable: cause, detailMessage, stackTrace, suppressedExceptions.
    if (cause === undefined || causesLeft === 0) this.#put(NULL)
    else this.throwable(cause, causesLeft - 1)
    this.#text(message)
    this.#put(NULL, NULL, END_OF_BLOCK)
    // Fields of SerializedThrowable; the original exception, in a form that only a JVM has, is missing.
    this.#text(stackTraceOf(throwable))
    this.#text(className)
    this.#put(NULL)
  }

  #classes(): void {
    const known = this.#handles.get('SerializedThrowable')
    if (known !== undefined) return this.#reference(known)
    this.#class('org.apache.flink.util.SerializedThrowable', '65169df51fa713f3', SERIALIZABLE, [
      ['L', 'fullStringifiedStackTrace', STRING],
      ['L', 'originalErrorClassName', STRING],
      ['[', 'serializedException', '[B'],
    ])
    this.#class('java.lang.Exception', 'd0fd1f3e1a3b1cc4', SERIALIZABLE, [])
    this.#class('java.lang.Throwable', 'd5c635273977b8cb', SERIALIZABLE_WITH_DATA, [
      ['L', 'cause', 'Ljava/lang/Throwable;'],
      ['L', 'detailMessage', STRING],
      ['[', 'stackTrace', '[Ljava/lang/StackTraceElement;'],
      ['L', 'suppressedExceptions', 'Ljava/util/List;'],
    ])
    this.#put(NULL)
    this.#handles.set('SerializedThrowable', 0)
  }

  /** `fields`: kind, name, type. Its superclass, or NULL, follows. */
  #class(name: string, version: string, flags: number, fields: readonly (readonly [string, string, string])[]): void {
    this.#put(CLASS)
    this.#shortText(name)
    this.#chunks.push(Buffer.from(version, 'hex'))
    this.#put(flags, 0, fields.length)
    this.#nextHandle++
    for (const [kind, field, type] of fields) {
      this.#put(kind.charCodeAt(0))
      this.#shortText(field)
      const known = this.#handles.get(type)
      if (known === undefined) {
        this.#handles.set(type, this.#nextHandle)
        this.#text(type)
      } else this.#reference(known)
    }
    this.#put(END_OF_BLOCK)
  }

  #reference(handle: number): void {
    this.#put(REFERENCE, 0, 0x7e, handle >> 8, handle & 0xff)
  }

  #text(text: string): void {
    const bytes = modifiedUtf8(text)
    this.#nextHandle++
    if (bytes.length <= 0xffff) this.#put(TEXT, bytes.length >> 8, bytes.length & 0xff)
    else {
      const head = Buffer.alloc(9)
      head[0] = LONG_TEXT
      head.writeBigUInt64BE(BigInt(bytes.length), 1)
      this.#chunks.push(head)
    }
    this.#chunks.push(bytes)
  }

  #shortText(text: string): void {
    this.#put(text.length >> 8, text.length & 0xff)
    this.#chunks.push(modifiedUtf8(text))
  }

  #put(...bytes: readonly number[]): void {
    this.#chunks.push(Uint8Array.from(bytes))
  }
}

/** Java's own: NUL takes two bytes, and what lies beyond 16 bits is its two surrogates, three bytes each. */
function modifiedUtf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit > 0 && unit < 0x80) bytes.push(unit)
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f))
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f))
  }
  return Uint8Array.from(bytes)
}
