/** How records become the text of a part file. */

/** Of one part file, from its first record on. */
export interface RecordEncoder<in T> {
  /**
   * The text of the record without the newline at its end; in front of the first one whatever else a file begins with.
   * RECORD_NOT_WRITABLE for a record that would not come back as it is.
   */
  encode(value: T): string
}

export interface RecordFormat<in T> {
  /** Of the file names, with its dot. */
  readonly ending: string
  /** Once a part file. */
  createEncoder(): RecordEncoder<T>
}
