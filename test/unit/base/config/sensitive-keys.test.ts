import { describe, expect, it } from 'vitest'
import { hideSecrets, isSensitiveKey, redacted } from '../../../../src/base/config/sensitive-keys.ts'

describe('A key of a configuration', () => {
  it.each([
    ...['security.ssl.key-Password', 'my.client-secret', 's3.session.TOKEN', 'search.apikey', 'search.api-key'],
    ...['x.service-key', 'pulsar.auth-params', 'registry.basic-auth.user', 'sasl.jaas.config'],
    ...['fs.azure.account.key.mine', 'sink.http-headers'],
  ])('names a secret as in Flink, however it is written: %s', (key) => {
    expect([isSensitiveKey(key), redacted(key, 'open sesame')]).toEqual([true, '******'])
  })

  it('names none where it only looks a little like one', () => {
    for (const key of ['pipeline.name', 'rest.port', 'state.key', 'pass', 'auth', 'jaas'])
      expect([isSensitiveKey(key), redacted(key, 'shown')]).toEqual([false, 'shown'])
  })
})

describe('Secrets in a text', () => {
  it('are hidden wherever they stand, a longer one before what it contains', () => {
    const hide = hideSecrets(['sesame', 'open sesame 1', 'a.*b'])
    expect(hide('say sesame, open sesame 1 and a.*b, not aab')).toBe('say ******, ****** and ******, not aab')
  })

  it('leave a text alone where there are none, or where one is so short that any text has it', () => {
    expect(hideSecrets([])('nothing')).toBe('nothing')
    expect(hideSecrets(['', 'x', 'no'])('nothing extra')).toBe('nothing extra')
  })
})
