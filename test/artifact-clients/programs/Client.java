import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** `java Client.java LIBRARY URL KEY`: fetches the URL with the key, follows redirects, writes the body to stdout. */
class Client {
  public static void main(String[] arguments) throws Exception {
    URI uri = URI.create(arguments[1]);
    String authorization = "Bearer " + arguments[2];
    System.out.write(
        arguments[0].equals("HttpClient")
            ? byHttpClient(uri, authorization)
            : byConnection(uri, authorization));
    System.out.flush();
  }

  private static byte[] byHttpClient(URI uri, String authorization) throws Exception {
    HttpClient client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
    HttpRequest request = HttpRequest.newBuilder(uri).header("Authorization", authorization).build();
    return client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
  }

  private static byte[] byConnection(URI uri, String authorization) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    connection.setRequestProperty("Authorization", authorization);
    return connection.getInputStream().readAllBytes();
  }
}
