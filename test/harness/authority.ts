import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'

export interface Authority {
  readonly pem: string
  certificateFor(host: string): { cert: string; key: string }
}

/** A certificate authority made on the spot: X.509 v3 (RFC 5280) in hand-written DER. */
export function authority(commonName: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isCa = extension('551d13', der(0x30, der(0x01, Buffer.of(0xff))))
  return {
    pem: certificate(commonName, commonName, publicKey, privateKey, isCa),
    certificateFor(host) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternative = extension('551d11', der(0x30, der(0x82, Buffer.from(host))))
      const cert = certificate(host, commonName, own.publicKey, privateKey, alternative)
      const key = createPrivateKey(own.privateKey.export({ type: 'pkcs8', format: 'pem' }))
      return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), content])
}

function extension(oid: string, value: Buffer): Buffer {
  return der(0x30, der(0x06, Buffer.from(oid, 'hex')), der(0x04, value))
}

function certificate(
  subject: string,
  issuer: string,
  key: KeyObject,
  signer: KeyObject,
  more: Buffer,
): string {
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const named = (name: string) =>
    der(
      0x30,
      der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(name)))),
    )
  const serial = createHash('sha256').update(subject).digest().subarray(0, 8)
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1), serial),
    ecdsaWithSha256,
    named(issuer),
    der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x18, Buffer.from('21000101000000Z'))),
    named(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, more)),
  )
  const signature = der(0x03, Buffer.of(0), sign('sha256', body, signer))
  const base64 = der(0x30, body, ecdsaWithSha256, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}
