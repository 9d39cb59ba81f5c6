package wechat

// Cipher texts of the published and own vectors of 01 A.6, by their names there.
const (
	cipherO1 = "D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg=="
	cipherO2 = "hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7"
	cipherO3 = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
	cipherS2 = "rTNFcsut4LfGuAFKEUVVpwcaCOTJzOd9twZdIW910jb3k+iicx2uvhttIZ3Qg9Qgty3BEF2xbOrz6boTfb30dMomcgrkTqdFPwnhqbk+kIQ7rZiwny9D7NUrTgA5kpX3KsZvrXzUZyP2x9YOlxbgm572lmxKvM7HAQQhIQ/p6HBmoY30bGXFK0BtIu1pW9TjhOYrLQoU18nWYjWqDA1ynkmOytpv7QRI1P1+0NoxL0q2zO1DgeSvnE8CZGo/o5Ap/WHK5W2RAsinpzN4/LjPnmB6U01I5XCoJoC0GK/yMZycd2Oh8Nq6+wBkC1U85oy0ktOY4nLvsQMLrourmMGdZHuTbqpeJ8Ao/5PRYJ+WBvRUwPfGKBL2+2IKZF49vAJqkcGWSHGE76ZN2erXeuNazf/o9o3lIE3q739o4c8t9QGPe31GT2Go/rOz1BsrASwvauNulCh+++yz+CQzBIuikA=="
	cipherV1 = "r78JegouuFnnvj+Qm8UW81z5FTF6fMHPPiCWKaLilGJ4/aboF4F94eSeuYnUIZN8XIYI7IqDQo8XIll6pjEE1+7Nv7cbxeqUnpXq7ym//wBhg9wgbFmFwCnIMEbod+w0Q5Q4coUBLCWgJTU7ZAOqbHNlNYp798yIq91ZZ9XoypZWQiwNg1omfAdvOKfi3UzunSKVuJKS6Q7BpNVzhwwKJgiLoqW/lxQAxMF8Tx8llqhPxql6kNUzSWxFS5fVMdEMNiGbhsJg0PtGIUo9KLu8OWq4jIQa4QsKK2O7lCzjxzncVHh7vXI8Smfl3nry2eLlDA1W2UTdl5fFm7lC01RL37TWilHPjanXlsP2d1H0ixPWNEdM2UxblZhoTbhTGuBH"
	cipherV2 = "JY9/1CthgFk5TpIa8ibyapgFkLntnc6XfkTZabJNzEh179VrH6sr3vjZXG/sAfhxGjcnsaslzjHpJpPn4AvBFGHECuV0UZpit6HuXbNOGEYZh87N9k2PJGAwpTu+qv/w0mNj5Obk26kKNjKaD8pfBAMr2/AUEB8CNAgYGvJR+PHcXHBxFNX4i8H735ZoUXd0QQYo9jgnenbSDgckL9BNGnsAXeUQyWRxyVIVAqixkCbK3dWl65Bqsi8uE7h+pbQy+tGKfyKfKzEhi065g18ZLECykcx5Tau2Iy2cFkzDH7QwpYl3aUlxUj6T8d9tW3CG2Qpb3hBSkmpMTn+5kryRsho1xNuViqZTDPzRzPHM69k2usK1ktDcN2vPmIpNQt4E"
	cipherV3 = "1lYFrEmlHedynN7Jv/MuqWfO+t0nq7Pq8NS8LINjmNc47e1G6IrcNa1FLDoafjhEUzDo2acay+GhsLG0hFzfr6WUa0DxwSx5MYp2gnfLgjFGUzpmlH/EsnY4v3KG3ou/b+lAiXb+HoH2/D+UU+x3N8Nn6oU/gMewuTpqct2SlXw="
)

// negative is a vector with a valid signature whose decryption must fail.
type negative struct{ id, nonce, encrypt, signature string }

func negatives() []negative {
	return []negative{
		{"N1", "1", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97ums20FeyJq0BnWVaC3GnYkLbWEDzh0ufml5OhBul5uYA==", "dcb9c6e9e8431294c39a5c64b8566a29f5716474"},
		{"N2", "2", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97stxKgdFakX3e97SK8qqa9C8kELWcYqXVOPxuXNYaf8xA==", "588460288df297bd9b02a83adf6d471ccc51aae6"},
		{"N3", "3", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97tDLzTbHfhJnjkA8luJYf3vNxoY+8QRgLL7yy96GtCHow==", "1ef20c929e75c5621accc71e7406f1aa71bfe915"},
		{"N4", "4", "Ekh0C4c+/19RB8XlbvKsoV1TVSqZzEwak8rSizQ842j411FwYgrRXRldAarq9tfgkmScpraBpdI0bpp+HnuT4g==", "510ce7f37f4c7a05ddda0ade7461fa4af15422c9"},
		{"N5", "5", "Ekh0C4c+/19RB8XlbvKsoZiaZgnu5NcFqMr/aH1wf43rkYwIG7voG/LYBpcV/LvagwBZjIjU2PzIBQVRYIVbgA==", "f421bf45f6f7f500dfd3d0daf674ba1e2cb19a10"},
		{"N6", "6", "Ekh0C4c+/19RB8XlbvKsoXwGUxlLlX0Mb8OPz9G7yY6/2i7XO59Qo4Q4W56aHAUxyrM0U9zWvh9GCftu/bPi8w==", "9bb1ed9b4bbb05d260249b10a248e37b2df666a3"},
		{"N7", "7", "Ekh0C4c+/19RB8XlbvKsoWT+HGGrgsOltTi5VaZvxhc=", "9cec6f5907d4f1ca275e6c0e6e7dcaf5695144bf"},
		{"N8", "8", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97vNrdlUi2RAAZjU922+cEbq", "9ffd8d0d061cc94bc864d312064c4c5a5682f9d7"},
		{"N9", "9", "Ekh0C4c+/19RB8XlbvKsoeP55JtaPcJIY1ehGSVicAZW0sj+RzMYzkcntNq5m2j7oSOgkpenly5gzjqNZOhRecukJ/l0T8Ms6mCpQJdRl0GX3kY2m9Vsqo4ezWZ0SqcCWEuSboMKDQ8RZ1GR9h4AFILBcQNG9bX/daJR1dfvQVU=", "2645d9af54b05efe8b3f0cf00d587d415d47878d"},
	}
}
