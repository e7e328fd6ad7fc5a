/** Headers that every answer carries: what a browser may do with it, and who may keep it. */
import type { RestSettings } from './rest-settings.ts'

/**
 * Flink's dashboard makes style elements while it runs, starts a worker of its own code, and switches its style sheet on
 * by the one inline handler that is named by its digest here. Scripts come from this server alone.
 */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-hashes' 'sha256-MhtPZXr7+LpJUY5qtMutB+qWfQtMaPccfe7QXtCcEYc='",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const ALWAYS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
}

/** Of answers of the API: nobody keeps them, and only pages of `web.access-control-allow-origin` read them. */
export function apiHeaders({ allowedOrigin }: Pick<RestSettings, 'allowedOrigin'>): Record<string, string> {
  const headers = { ...ALWAYS, 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store' }
  if (allowedOrigin === undefined) return headers
  const origin = { ...headers, 'Access-Control-Allow-Origin': allowedOrigin }
  return allowedOrigin === '*' ? origin : { ...origin, Vary: 'Origin' }
}

const KEPT_MS = 300_000

/**
 * Of files of a dashboard, kept as long as Flink lets them be kept. They tell where a request comes from to this server
 * alone: its button for cancelling sends a GET, which has nothing else to prove that with where there is no TLS.
 */
export function fileHeaders({ readAtMs, nowMs }: { readonly readAtMs: number; readonly nowMs: number }) {
  return {
    ...ALWAYS,
    'Referrer-Policy': 'same-origin',
    'Cache-Control': `private, max-age=${KEPT_MS / 1000}`,
    'Last-Modified': new Date(readAtMs).toUTCString(),
    Expires: new Date(nowMs + KEPT_MS).toUTCString(),
  }
}
