// Prints what Graylog's own Go library reads as GELF from loopback, a JSON object a line: first the ports, then a message each. Ends with its standard input.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/Graylog2/go-gelf/gelf"
)

func main() {
	udp, err := gelf.NewReader("127.0.0.1:0")
	stopOn(err)
	tcp, err := gelf.ListenTCP("127.0.0.1:0")
	stopOn(err)
	fmt.Printf("{\"udp\":%q,\"tcp\":%q}\n", udp.Addr(), tcp.Addr())
	lines := make(chan string, 1000)
	go read(udp.ReadMessage, lines)
	go read(tcp.ReadMessage, lines)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for line := range lines {
		fmt.Println(line)
	}
}

func read(next func() (*gelf.Message, error), lines chan<- string) {
	for {
		message, err := next()
		if err != nil {
			message = &gelf.Message{Short: "not read: " + err.Error()}
		}
		whole := map[string]interface{}{
			"version": message.Version, "host": message.Host, "short_message": message.Short, "full_message": message.Full,
			"timestamp": message.TimeUnix, "level": message.Level,
		}
		for key, value := range message.Extra {
			whole[key] = value
		}
		line, err := json.Marshal(whole)
		stopOn(err)
		lines <- string(line)
	}
}

func stopOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
