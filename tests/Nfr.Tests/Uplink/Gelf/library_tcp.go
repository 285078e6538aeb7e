// The library keeps its TCP reader for its own tests. Laid over the library at build, this opens it to the receiver.
package gelf

func ListenTCP(address string) (*TCPReader, error) {
	reader, _, _, err := newTCPReader(address)
	return reader, err
}

func (r *TCPReader) Addr() string { return r.addr() }

func (r *TCPReader) ReadMessage() (*Message, error) { return r.readMessage() }
