/** The HTTP client port: one request, one answer, nothing else. Whoever uses it brings the time that it may take. */
export interface HttpClient {
  /**
   * Sends the request on a connection of its own and resolves with the whole answer, whatever its status is.
   * Redirections are not followed. Rejects with an HttpFailure; also when `signal` is aborted before the end.
   */
  request(request: HttpRequest): Promise<HttpAnswer>
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** `http:` or `https:`. A certificate that is not trusted is refused. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  /** A longer answer is a failure, and no more of it is read. */
  readonly maxBytes: number
}

export interface HttpAnswer {
  readonly status: number
  readonly contentType: string | undefined
  /** Of a redirection. */
  readonly location: string | undefined
  /** As UTF-8; what is none became U+FFFD. */
  readonly text: string
}

/** Code of a failure whose answer was longer than the request allowed. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE'

/** There is no answer. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure'
  /** The system's (ECONNREFUSED, ENOTFOUND), the one of TLS (DEPTH_ZERO_SELF_SIGNED_CERT), of the HTTP parser (HPE_...), or ANSWER_TOO_LARGE. */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
