// The front plate: five lights, display, button. Print face up, 2 mm, without supports; letters are sunk 0.6 mm, to be filled with paint or a second colour.
// Measures in mm. Change these few and render again:  openscad -o plate.stl plate.scad
width = 110;
height = 50;
thick = 2;
corner = 4;
led = 5.2;             // 5 mm LEDs
led_step = 15;
led_x = 12;            // of the first
led_y = 35;
button = 12.2;         // 12 mm panel mount
button_x = 95;
button_y = 16;
window = [25, 14];     // the lit part of a 0.96" SSD1306 is 21.7 x 10.9
window_x = 42;
window_y = 15.5;
holes = [23.5, 23.5];  // of the display's board, M2
mount = 4;             // from the corner, M2.5
sunk = 0.6;
names = ["power", "link", "capture", "uplink", "alert"];
$fn = 64;

module rounded(w, h, r) { hull() for (x = [r, w - r], y = [r, h - r]) translate([x, y]) circle(r); }

module word(text, size) { linear_extrude(sunk + 1) text(text, size = size, halign = "center", valign = "baseline", font = "DejaVu Sans:style=Bold"); }

difference() {
  linear_extrude(thick) rounded(width, height, corner);

  // Through: lights, button, window (with a slope for the eye), screws.
  for (i = [0 : 4]) translate([led_x + i * led_step, led_y, -1]) cylinder(d = led, h = thick + 2);
  translate([button_x, button_y, -1]) cylinder(d = button, h = thick + 2);
  translate([window_x, window_y, -1]) linear_extrude(thick + 2) square(window, center = true);
  translate([window_x, window_y, thick - 1]) linear_extrude(1.02, scale = [1 + 2 / window[0], 1 + 2 / window[1]]) square(window, center = true);
  for (x = [-1, 1], y = [-1, 1]) translate([window_x + x * holes[0] / 2, window_y + y * holes[1] / 2, -1]) cylinder(d = 2.2, h = thick + 2);
  for (x = [mount, width - mount], y = [mount, height - mount]) translate([x, y, -1]) cylinder(d = 2.7, h = thick + 2);

  // Sunk into the face.
  for (i = [0 : 4]) translate([led_x + i * led_step, led_y + 5.5, thick - sunk]) word(names[i], 2.2);
  translate([button_x - 4, led_y - 2.5, thick - sunk]) word("NFR", 7);
  translate([button_x, button_y - 11, thick - sunk]) word("next", 2.2);
}
