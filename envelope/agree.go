package envelope

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
)

// coordinate is the length of a coordinate of P-256 in bytes.
const coordinate = 32

// agree gives the key that the owners of two key pairs have in common: SHA-256
// over both coordinates of the common point, each left-padded.
func agree(private *ecdh.PrivateKey, public *ecdh.PublicKey) ([32]byte, error) {
	if private.Curve() != ecdh.P256() || public.Curve() != ecdh.P256() {
		return [32]byte{}, errors.New("cannot agree on a key: both keys must be on the curve P-256")
	}
	x, y, err := commonPoint(private, public)
	if err != nil {
		return [32]byte{}, fmt.Errorf("cannot agree on a key: %w", err)
	}
	var point [2 * coordinate]byte
	x.FillBytes(point[:coordinate])
	y.FillBytes(point[coordinate:])
	return sha256.Sum256(point[:]), nil
}

// commonPoint gives both coordinates of the product P = d·Q of the private key
// d and the public point Q. crypto/ecdh tells x only. y follows from the x of
// P+Q, which is ecdh of d+1: the chord through P and Q gives
//
//	(x(P+Q) + xP + xQ)(xP − xQ)² = yP² + yQ² − 2·yP·yQ
//
// where yP² is known from the curve's equation.
func commonPoint(private *ecdh.PrivateKey, public *ecdh.PublicKey) (x, y *big.Int, err error) {
	curve := elliptic.P256().Params()
	p := curve.P
	raw := public.Bytes() // 4 ‖ x ‖ y
	qx, qy := new(big.Int).SetBytes(raw[1:1+coordinate]), new(big.Int).SetBytes(raw[1+coordinate:])
	x, err = product(private, public)
	if err != nil {
		return nil, nil, err
	}
	if x.Cmp(qx) == 0 {
		return x, ownPoint(private, qy, p), nil
	}
	next, err := successor(private, curve.N)
	if err != nil {
		return nil, nil, err
	}
	sum, err := product(next, public)
	if err != nil {
		return nil, nil, err
	}
	left := new(big.Int).Sub(x, qx)
	left.Mul(left, left)
	left.Mul(left, sum.Add(sum, x).Add(sum, qx))
	y = new(big.Int).Mul(qy, qy)
	y.Add(y, squareOfY(x, curve))
	y.Sub(y, left)
	y.Mul(y, new(big.Int).ModInverse(new(big.Int).Lsh(qy, 1), p))
	return x, y.Mod(y, p), nil
}

// ownPoint gives y where P is Q or −Q, which only the private keys 1 and −1 do.
func ownPoint(private *ecdh.PrivateKey, qy, p *big.Int) *big.Int {
	if new(big.Int).SetBytes(private.Bytes()).Cmp(big.NewInt(1)) == 0 {
		return qy
	}
	return new(big.Int).Sub(p, qy)
}

// product gives the x of the product of a private key and a public point.
func product(private *ecdh.PrivateKey, public *ecdh.PublicKey) (*big.Int, error) {
	x, err := private.ECDH(public)
	if err != nil {
		return nil, err
	}
	return new(big.Int).SetBytes(x), nil
}

// successor gives the private key d+1. d is neither 1 nor n−1 here.
func successor(private *ecdh.PrivateKey, n *big.Int) (*ecdh.PrivateKey, error) {
	d := new(big.Int).SetBytes(private.Bytes())
	d.Add(d, big.NewInt(1)).Mod(d, n)
	return ecdh.P256().NewPrivateKey(d.FillBytes(make([]byte, coordinate)))
}

// squareOfY gives x³ − 3x + b.
func squareOfY(x *big.Int, curve *elliptic.CurveParams) *big.Int {
	y := new(big.Int).Mul(x, x)
	y.Sub(y, big.NewInt(3))
	y.Mul(y, x)
	y.Add(y, curve.B)
	return y.Mod(y, curve.P)
}
